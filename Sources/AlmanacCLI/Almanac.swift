import Almanac
import ArgumentParser
import Foundation

/// The `almanac` command.
@main
struct AlmanacCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "almanac",
    abstract: "A feature store and a data versioning system in one program.",
    version: AlmanacVersion.text,
    groupedSubcommands: [
      CommandGroup(name: "Repository", subcommands: [Init.self, Apply.self, Status.self]),
      CommandGroup(
        name: "Versions",
        subcommands: [Commit.self, Log.self, Show.self, Diff.self, Checkout.self, Lineage.self, Branch.self, Tag.self]),
      CommandGroup(
        name: "Lines of history",
        subcommands: [Merge.self, Revert.self, CherryPick.self, Undo.self, Redo.self, Reflog.self, Bisect.self, Blame.self]),
      CommandGroup(
        name: "Remotes", subcommands: [Clone.self, RemoteCommand.self, Fetch.self, Pull.self, Push.self]),
      CommandGroup(name: "Care", subcommands: [Seal.self, GC.self, Fsck.self]),
      CommandGroup(name: "Features", subcommands: [FeaturesCommand.self, Train.self, Stale.self, Materialize.self, Get.self, Serve.self]),
      CommandGroup(name: "Files", subcommands: [Convert.self, Inspect.self]),
    ])

  static func main() async {
    // Output is read by programs too: a closed pipe ends the command quietly.
    signal(SIGPIPE, SIG_DFL)
    do {
      var command = try parseAsRoot(GlobalOptions.hoisted(Array(CommandLine.arguments.dropFirst())))
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as AlmanacError {
      Terminal.report(error)
      Foundation.exit(error.kind.rawValue)
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      // Help and version requests come this way too, and end well.
      let isClean = exitCode(for: error).isSuccess
      let text = fullMessage(for: error)
      if isClean { Terminal.out(text) } else { Terminal.err(text) }
      Foundation.exit(isClean ? 0 : AlmanacError.Kind.usage.rawValue)
    }
  }
}
