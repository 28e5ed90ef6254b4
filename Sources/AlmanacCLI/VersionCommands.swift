import Almanac
import ArgumentParser
import Foundation
import JSON

extension ChangeMode: ExpressibleByArgument {}

struct Commit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Commit files to datasets: all of them or none.",
    discussion: "Parquet, CSV and JSON Lines; `-` is standard input. Several datasets make one commit.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("What goes where.", valueName: "dataset=file")) var inputs: [String]
  @Option(name: [.short, .long], help: "What this commit is about.") var message: String
  @Option(help: "append, upsert, replace or delete.") var mode: ChangeMode = .append
  @Option(help: "The branch to commit to; made from the current one when it is new.") var branch: String?
  @Option(help: "Who commits (default: ALMANAC_AUTHOR, else the login name).") var author: String?
  @Option(name: .customLong("input"), help: "What the rows were made from: a file, a revision or DATASET@REVISION; may be repeated.")
  var origins: [String] = []
  @Option(help: "The program that made the rows.") var producer: String?
  @Option(
    name: .customLong("parameter"),
    help: ArgumentHelp("A parameter of the program that made the rows; may be repeated.", valueName: "name=value"))
  var parameters: [String] = []

  @Option(help: "How much memory rows may take while they are sorted, like 2G (default: a quarter of the machine's, at most 4G).")
  var memory: ByteCountOption?

  private func provenance() throws -> Provenance {
    let pairs = try parameters.map { text -> (name: String, value: String) in
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw AlmanacError(.usage, "Cannot read parameter \(text): expected NAME=VALUE")
      }
      return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
    return Provenance(
      inputs: origins, producer: producer, parameters: pairs, workingFolder: FileManager.default.currentDirectoryPath)
  }

  func run() throws {
    let pairs = try inputs.map { input -> CommitInput in
      guard let equals = input.firstIndex(of: "="), equals != input.startIndex, input.index(after: equals) != input.endIndex else {
        throw AlmanacError(
          .usage, "Cannot read \(input): expected DATASET=FILE", hint: "For example: almanac commit transactions=january.parquet -m January"
        )
      }
      return CommitInput(dataset: String(input[..<equals]), path: String(input[input.index(after: equals)...]))
    }
    let report = try global.open().commit(
      pairs, mode: mode, message: message, author: author, branch: branch, provenance: provenance(),
      memoryByteCount: memory?.byteCount ?? Repository.defaultMemoryByteCount, progress: ProgressBar.handler(global))
    ProgressBar.clear()
    for dataset in report.datasets { for warning in dataset.warnings { Terminal.err("warning: \(warning)") } }
    if global.json { return Terminal.out(Self.json(report)) }
    guard let id = report.commit else {
      Terminal.out("Nothing to commit: \(mode == .delete ? "no row has one of the keys" : "the rows are there already")")
      return sayAbsences(report)
    }
    Terminal.out("[\(report.branch) \(id.short)] \(message)")
    let rows = report.datasets.map { dataset in
      [
        "  \(dataset.name)", "+\(Terminal.grouped(dataset.addedCount))", "~\(Terminal.grouped(dataset.changedCount))",
        "-\(Terminal.grouped(dataset.removedCount))", "\(Terminal.grouped(dataset.rowCount)) rows",
        "root \(dataset.root.description.prefix(12))",
      ]
    }
    Terminal.out(Terminal.table(rows, numeric: [1, 2, 3, 4]))
    sayAbsences(report)
  }

  /// Which columns were not sent, and what became of them.
  private func sayAbsences(_ report: CommitReport) {
    for dataset in report.datasets where !dataset.absences.isEmpty {
      let columns = dataset.absences.map { absence -> String in
        let rows = absence.rowCount == 1 ? "1 row" : "\(Terminal.grouped(absence.rowCount)) rows"
        return absence.isEverywhere ? absence.column : "\(absence.column) (in \(rows))"
      }
      let outcome = mode == .upsert ? "unchanged in rows that were there, null in new ones" : "null in these rows"
      Terminal.out("  \(dataset.name): not sent: \(columns.joined(separator: ", ")); \(outcome)")
    }
  }

  static func json(_ report: CommitReport) -> JSON {
    [
      "id": report.commit.map { .string($0.description) } ?? .null, "branch": .string(report.branch),
      "datasets": .object(
        Dictionary(
          uniqueKeysWithValues: report.datasets.map { dataset -> (String, JSON) in
            (
              dataset.name,
              [
                "added": .int(Int64(dataset.addedCount)), "changed": .int(Int64(dataset.changedCount)),
                "removed": .int(Int64(dataset.removedCount)), "rows": .int(Int64(dataset.rowCount)),
                "root": .string(dataset.root.description), "not_sent": .array(dataset.absences.map { .string($0.column) }),
              ]
            )
          })),
    ]
  }
}

struct Log: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List commits, newest first.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "A branch, tag or commit (default: the current branch).") var ref: String?
  @Option(name: [.customShort("n"), .customLong("limit")], help: "At most this many.") var limit: Int?
  @Flag(help: "One line a commit.") var oneline = false

  func run() throws {
    let repository = try global.open()
    let entries = try repository.log(ref, limit: limit)
    if global.json { return Terminal.out(.array(try repository.logEntries(entries))) }
    for (id, commit) in entries {
      if oneline {
        Terminal.out("\(id.short) \(commit.message)")
      } else {
        let rows = commit.datasets.sorted { $0.key < $1.key }.map { "\($0.key) \(Terminal.grouped($0.value.rows))" }
        Terminal.out("commit \(id)\nauthor \(commit.author)\ntime   \(Text.time(commit.timeMicros))")
        if !rows.isEmpty { Terminal.out("rows   \(rows.joined(separator: ", "))") }
        Terminal.out("\n    \(commit.message)\n")
      }
    }
    if entries.isEmpty { Terminal.err("No commits yet") }
  }
}

struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show a commit: its datasets, inputs and the verdict of its checks.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "A branch, tag or commit (default: the current branch).") var ref = "HEAD"

  func run() throws {
    let repository = try global.open()
    let id = try repository.resolve(ref)
    let commit = try repository.commit(id)
    let verdicts = try repository.verdicts(of: commit)
    if global.json {
      var entry = try repository.logEntry(id, commit).objectValue ?? [:]
      entry["verdicts"] = verdicts
      entry["inputs"] = .array(commit.inputs)
      entry["producer"] = commit.producer
      return Terminal.out(.object(entry))
    }
    Terminal.out("commit  \(id)")
    for parent in commit.parents { Terminal.out("parent  \(parent)") }
    Terminal.out("author  \(commit.author)\ntime    \(Text.time(commit.timeMicros))\nmessage \(commit.message)")
    for (name, dataset) in commit.datasets.sorted(by: { $0.key < $1.key }) {
      Terminal.out("dataset \(name): \(Terminal.grouped(dataset.rows)) rows, root \(dataset.root)")
    }
    for input in commit.inputs { Terminal.out("input   \(input.text())") }
    Terminal.out("made by \(commit.producer["program"]?.stringValue ?? "an unknown program")")
    for (name, value) in (commit.producer["parameters"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
      Terminal.out("        \(name) = \(value.stringValue ?? value.text())")
    }
    if let code = commit.producer["code"], let revision = code["revision"]?.stringValue {
      let state = code["dirty"]?.boolValue.map { $0 ? " with changes" : "" } ?? ""
      Terminal.out("code    git \(revision)\(state)")
    }
    Terminal.out("verdict \(verdicts.text())")
  }
}

struct Checkout: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Write any version of a dataset to a Parquet, CSV or JSON Lines file.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "A branch, tag, commit, or main@{TIME}.") var ref: String
  @Argument(help: "The dataset.") var dataset: String
  @Option(help: "The file to write.") var out: String
  @Option(help: "The file's format, if not that of its name: parquet, arrow, arrows, csv or jsonl.") var format: String?
  @Option(help: "Only these columns, comma-separated.") var columns: String?
  @Option(name: .customLong("where"), help: "Only rows for which this expression is true.") var filter: String?

  func run() throws {
    let names = columns?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let rowCount = try global.open().checkout(
      ref, dataset, to: out, format: FormatArguments.format(format), columns: names, filter: filter, progress: ProgressBar.handler(global))
    ProgressBar.clear()
    if global.json { return Terminal.out(["rows": .int(Int64(rowCount)), "file": .string(out)]) }
    if !TableOutput.isStandardOutput(out) { Terminal.out("Wrote \(Terminal.grouped(rowCount)) rows of \(dataset) at \(ref) to \(out)") }
  }
}

/// A number of bytes: digits and K, M, G or T.
struct ByteCountOption: ExpressibleByArgument {
  let byteCount: Int

  init?(argument: String) {
    let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
    let unit = argument.last.flatMap { units[Character($0.uppercased())] }
    guard let number = Int(unit == nil ? argument : String(argument.dropLast())), number > 0, number < 1 << 20 || unit == nil else {
      return nil
    }
    byteCount = number << (unit ?? 0)
  }
}
