import Almanac
import ArgumentParser
import JSON

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a point-in-time correct training set.",
    usage: """
      almanac train SERVICE --labels FILE --out FILE [OPTIONS]
      almanac train SERVICE --entities-from DATASET --every 1d --from A --to B --out FILE [OPTIONS]
      almanac train --recipe FILE [--labels FILE] [--out FILE]
      """,
    discussion: """
      The output has exactly the rows of the label file, in their order, each with the features as they were at its event time. \
      A manifest with the recipe that determines it is written beside it, from which --recipe makes it again.
      """)
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The feature service.") var service: String?
  @Option(help: "The label rows: entity keys, event time, and whatever else is to be kept.") var labels: String?
  @Option(help: "The file to write.") var out: String?
  @Option(help: "The file's format, if not that of its name: parquet, arrow, arrows, csv or jsonl.") var format: String?
  @Option(help: "Use the commit that the branch had at this time (ISO 8601 with an offset).") var at: String?
  @Option(help: "Use this branch, tag or commit (default: the current branch).") var ref: String?
  @Option(help: "The labels' time column (default: event_timestamp).") var time: String?
  @Flag(help: "Name features view__feature.") var fullNames = false
  @Flag(help: "Leave out the rows in which any feature of the service is null.") var dropMissing = false
  @Option(help: "Also commit the result as this dataset, keyed by row number, with its recipe as lineage.") var save: String?
  @Flag(help: "Print which leaves and pages were read for each view, and why.") var explain = false
  @Option(help: "Make the training set again that this manifest describes, and compare.") var recipe: String?
  @Option(help: ArgumentHelp("Make the label rows: every entity of this dataset, at every time.", valueName: "dataset"))
  var entitiesFrom: String?
  @Option(help: "The first time: a date, or a time with an offset.") var from: String?
  @Option(help: "The last time, included when a step falls on it.") var to: String?
  @Option(help: "The step from one time to the next, such as 1d.") var every: String?
  @Option(help: ArgumentHelp("The dataset's column for a label column.", valueName: "label=column")) var key: [String] = []

  func validate() throws {
    let grid: [(String, Bool)] = [
      ("--entities-from", entitiesFrom != nil), ("--from", from != nil), ("--to", to != nil), ("--every", every != nil),
      ("--key", !key.isEmpty),
    ]
    if recipe != nil {
      let own: [(String, Bool)] = [
        ("SERVICE", service != nil), ("--at", at != nil), ("--ref", ref != nil), ("--time", time != nil), ("--full-names", fullNames),
        ("--drop-missing", dropMissing), ("--explain", explain),
      ]
      if let given = (own + grid).first(where: \.1) {
        throw ValidationError("--recipe and \(given.0) exclude each other: the recipe says it")
      }
      return
    }
    guard service != nil else { throw ValidationError("Name a feature service, or a recipe with --recipe") }
    guard out != nil else { throw ValidationError("Name the file to write with --out") }
    if entitiesFrom != nil {
      guard labels == nil else { throw ValidationError("--labels and --entities-from exclude each other") }
      for (name, isGiven) in grid.dropLast() where !isGiven { throw ValidationError("--entities-from needs \(name)") }
    } else {
      guard labels != nil else { throw ValidationError("Name the label rows with --labels, or make them with --entities-from") }
      if let given = grid.first(where: \.1) { throw ValidationError("\(given.0) needs --entities-from") }
    }
  }

  func run() throws {
    let request = try recipe == nil ? trainingRequest() : nil
    let repository = try global.open()
    let progress = ProgressBar.handler(global)
    let report: TrainingReport
    if let request {
      report = try repository.train(request, progress: progress)
    } else {
      var request = RecipeRequest(manifest: recipe ?? "", labels: labels, output: out, save: save)
      request.format = try FormatArguments.format(format)
      report = try repository.train(recipe: request, progress: progress)
    }
    ProgressBar.clear()
    if let dropped = report.droppedRowCount {
      let all = Terminal.grouped(dropped + report.rowCount)
      Terminal.err("Dropped \(Terminal.grouped(dropped)) of \(all) label rows, in which a feature is missing")
    }
    if global.json {
      var members = report.manifest.objectValue ?? [:]
      members["explanation"] = report.explanation?.json
      return Terminal.out(.object(members))
    }
    if let explanation = report.explanation {
      let text = ExplanationText.lines(explanation).joined(separator: "\n")
      if TableOutput.isStandardOutput(report.output) { Terminal.err(text) } else { Terminal.out(text + "\n") }
    }
    if TableOutput.isStandardOutput(report.output) { return }
    let rows = "\(Terminal.grouped(report.rowCount)) rows with \(report.featureCount) features of \(report.service)"
    Terminal.out(request == nil ? "Made again, and identical: \(rows) in \(report.output)" : "Wrote \(rows) to \(report.output)")
    Terminal.out("recipe \(report.recipe)")
    if let saved = report.savedCommit { Terminal.out("saved as \(save ?? "") in commit \(saved.short)") }
  }

  private func trainingRequest() throws -> TrainingRequest {
    let rows: TrainingRequest.Labels
    if let entitiesFrom {
      let keys = try key.map { text -> (label: String, column: String) in
        guard let equals = text.firstIndex(of: "=") else { throw AlmanacError(.usage, "Cannot read --key \(text): expected LABEL=COLUMN") }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
      }
      rows = .entities(try EntityGrid(dataset: entitiesFrom, from: from ?? "", to: to ?? "", every: every ?? "", keys: keys))
    } else {
      rows = .file(labels ?? "")
    }
    var request = TrainingRequest(
      service: service ?? "", labels: rows, output: out ?? "", at: at, ref: ref, timeColumn: time ?? "event_timestamp",
      fullNames: fullNames, dropMissing: dropMissing, save: save, explains: explain)
    request.format = try FormatArguments.format(format)
    return request
  }
}
