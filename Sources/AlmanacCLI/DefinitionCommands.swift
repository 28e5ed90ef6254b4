import Almanac
import ArgumentParser
import JSON

struct Apply: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Register schemas/*.yaml and features/*.yaml.",
    discussion: """
      --plan shows what would change, what callers of services and saved training sets will notice, and changes nothing; its exit \
      code is 1 when anything would change.
      """)
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
    if global.json { Terminal.out(report.json) } else { show(report) }
    for warning in report.warnings { Terminal.err("warning: \(warning)") }
    if plan && !report.changes.isEmpty { throw ExitCode(1) }
  }

  private func show(_ report: ApplyReport) {
    if !report.kept.isEmpty {
      let count = report.kept.count == 1 ? "a definition" : "\(report.kept.count) definitions"
      Terminal.err(
        "note: branch \(report.branch) was changed since and has other forms of \(count): \(report.kept.joined(separator: ", ")); they stay. "
          + "`almanac apply --export` writes the files as the branch has them")
    }
    for change in report.changes {
      let mark = ["added": "+", "removed": "-", "changed": "~"][change.kind.rawValue] ?? "?"
      Terminal.out("\(mark) \(change.object)")
      if plan { for line in change.details { Terminal.out("    \(line)") } }
    }
    if report.changes.isEmpty {
      let reason =
        report.kept.isEmpty
        ? "branch \(report.branch) has these definitions already" : "the files have not changed since they were applied"
      Terminal.out("Nothing to apply: \(reason)")
    } else if plan {
      if !report.breaks.isEmpty { Terminal.out("\nThis breaks:") }
      for effect in report.breaks { Terminal.out("! \(effect.object) \(effect.text)") }
      func count(_ kind: ApplyReport.Change.Kind) -> Int { report.changes.count { $0.kind == kind } }
      Terminal.out("\nPlan: \(count(.added)) to add, \(count(.changed)) to change, \(count(.removed)) to remove; run `almanac apply`")
    } else if let id = report.commit {
      Terminal.out("[\(report.branch) \(id.short)] applied \(report.changes.count) changes")
    }
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

extension ApplyReport {
  fileprivate var json: JSON {
    [
      "changes": .array(
        changes.map {
          ["kind": .string($0.kind.rawValue), "object": .string($0.object), "details": .array($0.details.map { .string($0) })]
        }),
      "breaks": .array(breaks.map { ["object": .string($0.object), "text": .string($0.text)] }),
      "warnings": .array(warnings.map { .string($0) }), "kept": .array(kept.map { .string($0) }),
      "commit": commit.map { .string($0.description) } ?? .null, "branch": .string(branch),
    ]
  }
}

struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "List the entities, feature views, on-demand features and feature services of a commit.")
  @OptionGroup var global: GlobalOptions
  @Option(help: "The branch, tag or commit (default: the current branch).") var ref: String?

  func run() throws {
    let listing = try global.open().features(at: ref)
    if global.json { return Terminal.out(listing.json) }
    for entity in listing.entities {
      let keys = entity.keys.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
      Terminal.out("entity \(entity.name) (\(keys))\(entity.notesText)")
    }
    for view in listing.views {
      let source =
        "of \(view.view.entity), from \(view.view.source)\(view.isTimeless ? ", timeless" : "")"
        + (view.view.knowledge == .whole ? "" : ", knowledge \(view.view.knowledge.rawValue)")
      Terminal.out("feature view \(view.view.name) \(source)\(view.view.notesText)")
      Terminal.out(Terminal.table(view.features.map { ["  \($0.name)", $0.type.description, $0.summary] }))
    }
    for item in listing.onDemand {
      Terminal.out("on-demand feature \(item.feature.name) \(item.type)\(item.feature.notesText)")
      Terminal.out("  \(item.feature.expression)")
    }
    for service in listing.services {
      let needs = service.needs.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
      Terminal.out("feature service \(service.service.name) (\(needs))\(service.service.notesText)")
      Terminal.out(Terminal.table(service.features.map { ["  \($0.name)", $0.type.description, $0.summary] }))
    }
    if listing.entities.isEmpty { Terminal.out("No features are registered\(ref.map { " at \($0)" } ?? "")") }
  }
}
