import Almanac
import ArgumentParser
import Foundation
import JSON

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Make a new repository with commented examples.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The folder.") var folder = "."

  func run() throws {
    let target = folder == "." ? global.repository ?? folder : folder
    let repository = try Repository.create(at: target)
    if global.json { return Terminal.out(["repository": .string(repository.folder)]) }
    Terminal.out("Made an Almanac repository in \(repository.folder)")
    Terminal.out("Next: write a contract to schemas/, features to features/, then run: almanac apply")
  }
}

struct Apply: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Register schemas/*.yaml and features/*.yaml.",
    discussion: "Exit code with --plan: 1 when anything would change.")
  @OptionGroup var global: GlobalOptions
  @Flag(help: "Show what would change, and change nothing.") var plan = false
  @Flag(help: "Also remove what the folder no longer declares.") var prune = false
  @Flag(help: "Write the files of what is registered on the current branch instead.") var export = false

  func validate() throws {
    if export && (plan || prune) { throw ValidationError("--export goes with neither --plan nor --prune") }
  }

  func run() throws {
    if export { return try exportFiles() }
    let report = try global.open().apply(plan: plan, prune: prune)
    if global.json {
      Terminal.out([
        "changes": .array(
          report.changes.map {
            ["kind": .string($0.kind.rawValue), "object": .string($0.object), "details": .array($0.details.map { .string($0) })]
          }),
        "commit": report.commit.map { .string($0.description) } ?? .null, "branch": .string(report.branch),
      ])
    } else {
      for change in report.changes {
        let mark = ["added": "+", "removed": "-", "changed": "~"][change.kind.rawValue] ?? "?"
        Terminal.out("\(mark) \(change.object)")
        if plan { for line in change.details { Terminal.out("    \(line)") } }
      }
      if report.changes.isEmpty {
        Terminal.out("Nothing to apply: branch \(report.branch) has these definitions already")
      } else if plan {
        Terminal.out("\(report.changes.count) changes planned; run `almanac apply` to make them")
      } else if let id = report.commit {
        Terminal.out("[\(report.branch) \(id.short)] applied \(report.changes.count) changes")
      }
    }
    if plan && !report.changes.isEmpty { throw ExitCode(1) }
  }

  private func exportFiles() throws {
    let report = try global.open().exportDefinitions()
    if global.json {
      return Terminal.out([
        "files": .array(report.files.map { .string($0) }), "skipped": .array(report.skipped.map { .string($0) }),
      ])
    }
    for file in report.files { Terminal.out("Wrote \(file)") }
    for name in report.skipped { Terminal.err("note: dataset \(name) is registered, but its contract has no form as a file") }
  }
}

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show the current branch, its datasets, and definitions not applied yet.")
  @OptionGroup var global: GlobalOptions

  func run() throws {
    let repository = try global.open()
    let branch = try repository.headBranch()
    let tip = try repository.tip(of: branch)
    let datasets = try tip.map { try repository.commit($0).datasets } ?? [:]
    let pending = try repository.apply(plan: true).changes
    if global.json {
      return Terminal.out([
        "branch": .string(branch), "commit": tip.map { .string($0.description) } ?? .null,
        "datasets": .object(
          datasets.mapValues { ["root": .string($0.root.description), "rows": .int(Int64($0.rows))] }),
        "unapplied": .array(pending.map { .string("\($0.kind.rawValue) \($0.object)") }),
      ])
    }
    Terminal.out("On branch \(branch)\(tip.map { ", commit \($0.short)" } ?? ", no commits yet")")
    if !datasets.isEmpty {
      let rows = datasets.sorted { $0.key < $1.key }.map { ["  \($0.key)", "\(Terminal.grouped($0.value.rows)) rows"] }
      Terminal.out(Terminal.table(rows, numeric: [1]))
    }
    if !pending.isEmpty {
      Terminal.out("Definitions not applied yet (almanac apply):")
      for change in pending { Terminal.out("  \(change.kind.rawValue) \(change.object)") }
    }
  }
}

struct Seal: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring datasets into canonical form: small writes are taken into the leaves.",
    discussion: "The rows stay what they are; equal rows have equal roots afterwards. Sealing what is sealed does nothing.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "Which datasets (default: all).") var datasets: [String] = []
  @Option(help: "The branch (default: the current one).") var branch: String?
  @Option(help: "Who seals (default: ALMANAC_AUTHOR, else the login name).") var author: String?

  func run() throws {
    let report = try global.open().seal(
      datasets.isEmpty ? nil : datasets, branch: branch, author: author, progress: ProgressBar.handler(global))
    ProgressBar.clear()
    if global.json {
      let datasets = report.datasets.map { dataset -> (String, JSON) in
        (
          dataset.name,
          [
            "root": .string(dataset.root.description), "rows": .int(Int64(dataset.rowCount)), "tails": .int(Int64(dataset.tailCount)),
            "written_leaves": .int(Int64(dataset.writtenLeafCount)),
          ]
        )
      }
      return Terminal.out([
        "id": report.commit.map { .string($0.description) } ?? .null, "branch": .string(report.branch),
        "datasets": .object(Dictionary(uniqueKeysWithValues: datasets)),
      ])
    }
    guard let id = report.commit else { return Terminal.out("Everything is sealed already") }
    Terminal.out("[\(report.branch) \(id.short)] seal")
    for dataset in report.datasets {
      let tails = dataset.tailCount == 1 ? "1 tail" : "\(dataset.tailCount) tails"
      Terminal.out("  \(dataset.name)  \(tails) into \(dataset.writtenLeafCount) leaves  root \(dataset.root.description.prefix(12))")
    }
  }
}
