import Almanac
import ArgumentParser
import JSON

extension MergeStrategy: ExpressibleByArgument {}

/// What the commands that bring changes onto the current branch say.
private enum MergeText {
  static let conflictCountMax = 20

  static func say(_ report: MergeReport, _ what: String, _ global: GlobalOptions) throws {
    for dataset in report.datasets { for warning in dataset.warnings { Terminal.err("warning: \(dataset.name): \(warning)") } }
    if global.json {
      Terminal.out(report.json)
      if report.outcome == .conflict { throw ExitCode(1) }
      return
    }
    switch report.outcome {
    case .upToDate: Terminal.out("Nothing to do: branch \(report.branch) has these changes already")
    case .fastForward: Terminal.out("[\(report.branch) \(report.commit.short)] fast-forward")
    case .merged: Terminal.out("[\(report.branch) \(report.commit.short)] \(what)")
    case .conflict: return try sayConflicts(report)
    }
    let rows = report.datasets.map { dataset in
      let counts = dataset.counts.map { [$0.added, $0.changed, $0.removed].map(Terminal.grouped) }
      return [
        "  \(dataset.name)", counts.map { "+\($0[0])  ~\($0[1])  -\($0[2])" } ?? "taken", "\(Terminal.grouped(dataset.rowCount)) rows",
        "root \(dataset.root.description.prefix(12))",
      ]
    }
    if !rows.isEmpty { Terminal.out(Terminal.table(rows, numeric: [2])) }
  }

  private static func sayConflicts(_ report: MergeReport) throws {
    for conflict in report.definitionConflicts {
      let object = conflict.what.map { "\(conflict.object), \($0)" } ?? conflict.object
      Terminal.err("conflict: \(object): base \(conflict.base ?? "-"), ours \(conflict.first ?? "-"), theirs \(conflict.second ?? "-")")
    }
    for conflict in report.rowConflicts.prefix(conflictCountMax) { Terminal.err("conflict: \(line(conflict))") }
    let rest = report.rowConflicts.count - conflictCountMax
    if rest > 0 { Terminal.err("\(Terminal.grouped(rest)) more rows in conflict; --json lists all") }
    let rowCount = report.rowConflicts.count
    let count = rowCount + report.definitionConflicts.count
    throw AlmanacError(
      .failed,
      "\(Terminal.grouped(count)) \(count == 1 ? "conflict" : "conflicts") (\(Terminal.grouped(rowCount)) of rows); nothing was changed",
      hint: "Settle them with --strategy ours or --strategy theirs, or change the rows on one of the branches and try again.")
  }

  private static func line(_ conflict: RowConflict) -> String {
    func text(_ values: RowConflict.Values?, _ name: String) -> String { values?.first { $0.name == name }?.value.text ?? "-" }
    let row = conflict.row
    let key = row.key.map { "\($0.name)=\($0.value.text)" }.joined(separator: ", ")
    let start = "\(conflict.dataset) (\(key))"
    switch row.kind {
    case .delete: return "\(start): removed in \(row.first == nil ? "ours" : "theirs"), changed in \(row.first == nil ? "theirs" : "ours")"
    case .drop:
      return "\(start): \(row.columns.joined(separator: ", ")) changed in \(row.first == nil ? "theirs" : "ours"), dropped in the other"
    case .insert, .update:
      let cells = row.columns.map {
        "\($0): base \(text(row.base, $0)), ours \(text(row.first, $0)), theirs \(text(row.second, $0))"
      }
      return "\(start) \(cells.joined(separator: "; "))"
    }
  }
}

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Merge another branch into the current one, row by row and cell by cell.",
    discussion: "Exit code 1 with conflicts: then nothing is changed.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "A branch, tag or commit.") var ref: String
  @Option(help: "How conflicts are settled: fail, ours or theirs.") var strategy: MergeStrategy = .fail
  @Option(name: [.short, .long], help: "The message of the merge.") var message: String?
  @Flag(name: .customLong("no-ff"), help: "Make a commit even when the branch could just move.") var noFastForward = false

  func run() throws {
    let report = try global.open().merge(ref, strategy: strategy, message: message, fastForward: !noFastForward)
    try MergeText.say(report, message ?? "Merge \(ref) into \(report.branch)", global)
  }
}

struct Revert: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Take back what a commit changed, as a new commit.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The commit.") var commit: String
  @Option(help: "How conflicts are settled: fail, ours or theirs.") var strategy: MergeStrategy = .fail
  @Option(name: [.short, .long], help: "The message of the new commit.") var message: String?

  func run() throws {
    let report = try global.open().revert(commit, strategy: strategy, message: message)
    try MergeText.say(report, message ?? "reverted \(commit)", global)
  }
}

struct CherryPick: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cherry-pick", abstract: "Make what one commit changed on the current branch too.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The commit.") var commit: String
  @Option(help: "How conflicts are settled: fail, ours or theirs.") var strategy: MergeStrategy = .fail
  @Option(name: [.short, .long], help: "The message of the new commit (default: that of the picked one).") var message: String?

  func run() throws {
    let report = try global.open().cherryPick(commit, strategy: strategy, message: message)
    try MergeText.say(report, message ?? "picked \(commit)", global)
  }
}

struct Blame: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show which commit gave each column of a row its value.",
    discussion: "The key is given as COLUMN=VALUE, one for each key column. Exit code 3 when it never was there.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The dataset.") var dataset: String
  @Argument(help: ArgumentHelp("The row's key.", valueName: "key=value")) var key: [String]
  @Option(help: "The version to start from (default: the current branch).") var ref: String?

  func run() throws {
    let pairs = try key.map { text -> (String, String) in
      guard let equals = text.firstIndex(of: "=") else { throw AlmanacError(.usage, "Cannot read \(text): expected KEY=VALUE") }
      return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }
    let report = try global.open().blame(dataset, key: pairs, at: ref)
    if global.json {
      return Terminal.out([
        "dataset": .string(report.dataset), "key": .object(Dictionary(report.key.map { ($0.name, $0.value.json) }) { first, _ in first }),
        "removed_by": report.removedBy.map { .string($0.description) } ?? .null,
        "columns": .array(
          report.lines.map {
            [
              "column": .string($0.column), "value": $0.value.json, "commit": .string($0.commit.description), "author": .string($0.author),
              "time": .string(Text.time($0.timeMicros)), "message": .string($0.message),
            ]
          }),
      ])
    }
    if let id = report.removedBy { Terminal.out("The row was removed by commit \(id.short); before that:") }
    Terminal.out(
      Terminal.table(report.lines.map { [$0.column, $0.value.text, $0.commit.short, $0.author, Text.time($0.timeMicros), $0.message] }))
  }
}
