/**
 * How each distribution installs a package.
 *
 * @module
 */

/**
 * List the commands that install one package, one for each package manager.
 *
 * @param name Name of the package, the same in every distribution.
 * @returns One command line each for apt, dnf, pacman, zypper and apk.
 */
export function installCommands(name: string): readonly string[] {
  return [
    `sudo apt-get install -y ${name}`,
    `sudo dnf install -y ${name}`,
    `sudo pacman -S --noconfirm ${name}`,
    `sudo zypper --non-interactive install ${name}`,
    `sudo apk add ${name}`,
  ];
}
