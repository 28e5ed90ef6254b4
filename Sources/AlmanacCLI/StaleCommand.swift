import Almanac
import ArgumentParser
import JSON

struct Stale: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List saved training sets that would come out otherwise if they were made anew.",
    discussion: """
      Those of `train --save` whose datasets have other rows or columns now, or whose feature service says something else. \
      Exits with 1 when there is one.
      """)
  @OptionGroup var global: GlobalOptions
  @Option(help: "Compare with this branch, tag or commit (default: the current branch).") var ref: String?

  func run() throws {
    let report = try global.open().stale(ref)
    if global.json {
      Terminal.out(report.json)
    } else {
      for set in report.trainingSets where set.isStale { Self.show(set) }
      Terminal.out(Self.summary(report))
    }
    if report.staleCount > 0 { throw ExitCode(AlmanacError.Kind.failed.rawValue) }
  }

  private static func show(_ set: StaleReport.TrainingSet) {
    Terminal.out("\(set.name): made from commit \(set.madeFrom.short) by feature service \(set.service), recipe \(set.recipe.prefix(12))")
    for dataset in set.datasets {
      let roots = [dataset.oldRoot, dataset.newRoot].map { $0.map { String($0.prefix(12)) } ?? "no rows" }
      var line = "  \(dataset.name)  root \(roots[0]) → \(roots[1])"
      if let difference = dataset.difference {
        let counts = [difference.addedCount, difference.changedCount, difference.removedCount].map(Terminal.grouped)
        line += "  +\(counts[0])  ~\(counts[1])  -\(counts[2])"
        let schemaCount = difference.schemaChanges.count
        if schemaCount > 0 { line += ", \(schemaCount) \(schemaCount == 1 ? "change" : "changes") of schema" }
      } else {
        line += "  (the old version is not in the repository any more)"
      }
      Terminal.out(line)
    }
    switch set.definition {
    case .same: break
    case .changed: Terminal.out("  feature service \(set.service) says something else now")
    case .gone: Terminal.out("  feature service \(set.service) is gone")
    }
    if set.isOfOtherEngine { Terminal.out("  this version of Almanac computes features in another way") }
  }

  private static func summary(_ report: StaleReport) -> String {
    let count = report.trainingSets.count
    if count == 0 { return "There are no saved training sets" }
    let sets = count == 1 ? "1 saved training set" : "\(count) saved training sets"
    return report.staleCount == 0 ? "None of \(sets) is stale" : "\(report.staleCount) of \(sets) stale"
  }
}
