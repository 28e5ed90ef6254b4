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
        "missing": .bool(try tip == nil && repository.lacksBranch(branch)),
        "datasets": .object(
          datasets.mapValues { ["root": .string($0.root.description), "rows": .int(Int64($0.rows))] }),
        "unapplied": .array(pending.map { .string("\($0.kind.rawValue) \($0.object)") }),
      ])
    }
    Terminal.out("On branch \(branch)\(try tip.map { ", commit \($0.short)" } ?? repository.explainNoCommits(on: branch))")
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
