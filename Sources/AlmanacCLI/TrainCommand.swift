import Almanac
import ArgumentParser
import JSON

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a point-in-time correct training set.",
    discussion: """
      The output has exactly the rows of the label file, in their order, each with the features as they were at its event time. \
      A manifest with the recipe that determines it is written beside it.
      """)
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The feature service.") var service: String
  @Option(help: "The label rows: entity keys, event time, and whatever else is to be kept.") var labels: String
  @Option(help: "The file to write.") var out: String
  @Option(help: "Use the commit that the branch had at this time (ISO 8601 with an offset).") var at: String?
  @Option(help: "Use this branch, tag or commit (default: the current branch).") var ref: String?
  @Option(help: "The label file's time column.") var time = "event_timestamp"
  @Flag(help: "Name features view__feature.") var fullNames = false
  @Flag(help: "Leave out the rows in which any feature of the service is null.") var dropMissing = false
  @Option(help: "Also commit the result as this dataset, keyed by row number, with its recipe as lineage.") var save: String?

  func run() throws {
    let repository = try global.open()
    let report = try repository.train(
      TrainingRequest(
        service: service, labels: labels, output: out, at: at, ref: ref, timeColumn: time, fullNames: fullNames,
        dropMissing: dropMissing, save: save),
      progress: ProgressBar.handler(global))
    ProgressBar.clear()
    if let dropped = report.droppedRowCount {
      let all = Terminal.grouped(dropped + report.rowCount)
      Terminal.err("Dropped \(Terminal.grouped(dropped)) of \(all) label rows, in which a feature is missing")
    }
    if global.json { return Terminal.out(report.manifest) }
    Terminal.out("Wrote \(Terminal.grouped(report.rowCount)) rows with \(report.featureCount) features of \(service) to \(out)")
    Terminal.out("recipe \(report.recipe)")
    if let saved = report.savedCommit { Terminal.out("saved as \(save ?? "") in commit \(saved.short)") }
  }
}
