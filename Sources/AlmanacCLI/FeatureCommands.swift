import Almanac
import AlmanacServer
import ArgumentParser
import Foundation
import JSON
import Logging

struct Materialize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Build the online images of a commit and serve them from now on.",
    discussion: "A running server switches within a second. Images whose definition and data have not changed are reused.")
  @OptionGroup var global: GlobalOptions
  @Option(help: "The branch, tag or commit (default: the current branch).") var ref: String?
  @Flag(help: "Go back to the generation served before.") var rollback = false

  func run() throws {
    let repository = try global.open()
    if rollback && ref != nil { throw AlmanacError(.usage, "--rollback takes no --ref: it goes to the generation served before") }
    let report = try rollback ? repository.rollbackGeneration() : repository.materialize(ref, progress: ProgressBar.handler(global))
    ProgressBar.clear()
    for note in report.notes { Terminal.err("note: \(note)") }
    if global.json { return Terminal.out(report.json) }
    let built = rollback ? "back to" : "built \(report.builtCount) and reused \(report.reusedCount) images for"
    Terminal.out("Generation \(report.number): \(built) commit \(report.commit.short), \(Terminal.grouped(report.byteCount)) bytes")
  }
}

struct Get: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look up the features of one entity, as the server answers them.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The feature service.") var service: String
  @Argument(help: ArgumentHelp("Entity keys.", valueName: "key=value")) var keys: [String]
  @Option(help: "The time to ask about (ISO 8601 with an offset; default: now).") var at: String?

  func run() throws {
    let pairs = try keys.map { text -> (String, String) in
      guard let equals = text.firstIndex(of: "=") else { throw AlmanacError(.usage, "Cannot read \(text): expected KEY=VALUE") }
      return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
    let answer = try global.open().get(service, keys: pairs, at: at)
    if global.json { return Terminal.out(String(decoding: answer, as: UTF8.self)) }
    let json = try JSON(parsing: answer)
    let names = json["metadata"]?["feature_names"]?.arrayValue?.compactMap(\.stringValue) ?? []
    let results = json["results"]?.arrayValue ?? []
    var rows = [["feature", "value", "status", "event time"]]
    for (name, result) in zip(names, results) {
      rows.append([
        name, result["values"]?.arrayValue?.first?.text() ?? "", result["statuses"]?.arrayValue?.first?.stringValue ?? "",
        result["event_timestamps"]?.arrayValue?.first?.stringValue ?? "",
      ])
    }
    Terminal.out(Terminal.table(rows))
    if let commit = json["metadata"]?["commit"]?.stringValue { Terminal.out("commit \(commit)") }
  }
}

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve features, and the repository as a remote, over HTTP.",
    discussion: """
      POST /get-online-features (Feast's protocol), GET /health, GET /metrics; /v1 for clone, fetch and push, which asks for the \
      token in the environment variable ALMANAC_TOKEN if there is one. Ends cleanly on SIGINT and SIGTERM.
      """)
  @OptionGroup var global: GlobalOptions
  @Option(help: "The address to listen on.") var host = "127.0.0.1"
  @Option(help: "The port; 0 takes a free one.") var port = 6566
  @Flag(help: "Take pushes from other repositories.") var allowPush = false

  func run() async throws {
    guard (0...65535).contains(port) else { throw AlmanacError(.usage, "Cannot listen on port \(port): expected 0 to 65535") }
    let repository = try global.open()
    let server = try FeatureServer(
      repository: repository, host: host, port: port,
      access: RemoteAccess(allowsPush: allowPush, token: ServerToken.fromEnvironment))
    try await server.run { address in
      Terminal.err("Serving \(server.commitText.map { "commit \($0)" } ?? "the repository, without features,") on http://\(address)")
    }
  }
}
