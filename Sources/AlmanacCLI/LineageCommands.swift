import Almanac
import ArgumentParser
import JSON

struct Lineage: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, openlineage }

  static let configuration = CommandConfiguration(
    abstract: "Show what a dataset or commit was made from, or what was made of it.",
    discussion: """
      DATASET is one of the current branch; DATASET@REVISION is one version; anything else is a branch, tag or commit, or, with --down, \
      a feature service, whose training sets are shown.
      """)
  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("A dataset, a version of one, or a commit.", valueName: "dataset|commit")) var subject: String
  @Flag(help: "What was made of it, instead of what it was made from.") var down = false
  @Option(help: "At most so many steps (default: all).") var depth: Int?
  @Option(help: "text, json (as --json) or openlineage.") var format: Format = .text

  func validate() throws {
    if let depth, depth < 1 { throw ValidationError("--depth must be 1 or more, found \(depth)") }
  }

  func run() throws {
    let report = try global.open().lineage(subject, direction: down ? .down : .up, depth: depth)
    if format == .openlineage { return Terminal.out(report.openLineage) }
    if global.json || format == .json { return Terminal.out(report.json) }
    for run in report.runs {
      let indent = String(repeating: "  ", count: run.depth - 1)
      Terminal.out("\(indent)commit \(run.id.short)  \(Text.time(run.commit.timeMicros))  \(run.jobName)  \(run.commit.message)")
      for input in run.inputs { Terminal.out("\(indent)  <- \(Self.text(input))") }
      for output in run.outputs {
        Terminal.out(
          "\(indent)  -> dataset \(output.dataset): \(Terminal.grouped(output.rowCount)) rows, root \(output.root.prefix(12))")
      }
    }
    if report.runs.isEmpty { Terminal.out(down ? "Nothing names \(subject) among its inputs" : "Nothing is known of \(subject)") }
  }

  private static func text(_ input: LineageInput) -> String {
    switch input {
    case .file(let name, let sha256, let byteCount, let rowCount, _):
      let sizes = [rowCount.map { "\(Terminal.grouped(Int($0))) rows" }, byteCount.map { "\(Terminal.grouped(Int($0))) bytes" }]
      let digest = sha256.isEmpty ? "" : ", sha256 \(sha256.prefix(12))"
      return "file \(name)\(sizes.compactMap { $0 }.map { ", \($0)" }.joined())\(digest)"
    case .version(let dataset, let root, let commit):
      return "dataset \(dataset)@\(commit.short)\(root.map { ", root \($0.prefix(12))" } ?? "")"
    case .commit(let id): return "commit \(id.short)"
    case .recipe(let id, let service, let definition):
      return "recipe \(id.prefix(12)) of feature service \(service), definition \(definition.prefix(12))"
    }
  }
}
