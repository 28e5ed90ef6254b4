import Almanac
import ArgumentParser
import Foundation

/// Options that every command takes, anywhere on the line.
struct GlobalOptions: ParsableArguments {
  @Option(name: .customLong("repo"), help: "The repository's folder (default: the nearest parent with almanac.yaml).")
  var repository: String?

  @Flag(name: .long, help: "Write one JSON value to standard output.")
  var json = false

  @Flag(name: .long, help: "No progress bars.")
  var quiet = false

  func open() throws -> Repository {
    if let repository { return try Repository.open(at: repository) }
    return try Repository.find(from: FileManager.default.currentDirectoryPath)
  }

  /// The repository's folder, for what must not open it.
  func folder() throws -> String {
    try repository ?? Repository.folder(around: FileManager.default.currentDirectoryPath)
  }

  /// Moves global options that stand before the subcommand behind it, where the parser looks for them.
  static func hoisted(_ arguments: [String]) -> [String] {
    var leading: [String] = []
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      if argument == "--repo", index + 1 < arguments.count {
        leading += [argument, arguments[index + 1]]
        index += 2
      } else if argument == "--json" || argument == "--quiet" || argument.hasPrefix("--repo=") {
        leading.append(argument)
        index += 1
      } else {
        break
      }
    }
    guard index > 0, index < arguments.count, !arguments[index].hasPrefix("-") else { return arguments }
    // Commands of a group have the options, not the group itself.
    let groups = [Bisect.configuration.commandName, RemoteCommand.configuration.commandName]
    let isNested = groups.contains(arguments[index]) && index + 1 < arguments.count && !arguments[index + 1].hasPrefix("-")
    let end = index + (isNested ? 2 : 1)
    return arguments[index..<end] + leading + arguments[end...]
  }
}
