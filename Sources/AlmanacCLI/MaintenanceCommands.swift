import Almanac
import ArgumentParser
import Foundation
import JSON

struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Show what nothing needs any more, and with --yes remove it.",
    discussion: """
      Kept is what a branch, a tag, a move of one within the retention, a reader at work or a generation reaches, and whatever \
      is younger than the grace period, which may belong to a commit under way. Safe beside readers and writers.
      """)
  @OptionGroup var global: GlobalOptions
  @Flag(help: "Remove it.") var yes = false
  @Option(help: "Keep what a branch or tag stood for within this time, for example 30d (default: 90d).") var retention: String?
  @Option(help: "Keep what is younger than this, for example 10m (default: 1h).") var grace: String?

  func run() throws {
    let report = try global.open().collectGarbage(retention: retention, grace: grace, isDryRun: !yes)
    if global.json { return Terminal.out(report.json) }
    for item in report.items { Terminal.out("\(item.kind.rawValue)  \(Terminal.grouped(item.byteCount)) bytes  \(item.path)") }
    if report.items.isEmpty { return Terminal.out("Nothing to remove") }
    let files = report.items.count == 1 ? "1 file" : "\(Terminal.grouped(report.items.count)) files"
    let sum = "\(files), \(Terminal.grouped(report.byteCount)) bytes"
    Terminal.out(report.isDone ? "Removed \(sum)" : "Would remove \(sum); run `almanac gc --yes` to do it")
  }
}

struct Fsck: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check every object by its content, every reference, the catalog, the ref log and the generations.",
    discussion: """
      Exit code 4 when something is damaged. Nothing is changed without --repair, which makes anew what can be: the catalog, the \
      ref log, records of files, and with --from damaged objects of which another repository has a good copy.
      """)
  @OptionGroup var global: GlobalOptions
  @Flag(help: "Put right what can be; nobody should use the repository meanwhile.") var repair = false
  @Option(help: "Another repository's folder, from which damaged and missing objects are restored.") var from: String?

  private static let touchCountShown = 10

  func run() throws {
    if from != nil && !repair { throw AlmanacError(.usage, "--from needs --repair: a check alone changes nothing") }
    let report = try Repository.check(at: global.folder(), isRepair: repair, from: from)
    if global.json {
      Terminal.out(report.json)
    } else {
      for line in report.repairs { Terminal.out("repaired: \(line)") }
      for line in report.unrepaired { Terminal.out("not repaired: \(line)") }
      for problem in report.problems {
        Terminal.out(
          "\(problem.severity.rawValue): \(problem.object): \(problem.detail)\(problem.path.isEmpty ? "" : " (\(problem.path))")")
        for touch in problem.touches.prefix(Self.touchCountShown) {
          let rows = touch.dataset.map { "\(Terminal.grouped(touch.rowCount)) rows of \($0)" } ?? "the commit itself"
          Terminal.out("    touches commit \(touch.commit.short): \(rows)")
        }
        if problem.touches.count > Self.touchCountShown {
          Terminal.out("    and \(problem.touches.count - Self.touchCountShown) more commits")
        }
      }
      let counts = report.objectCounts.sorted { $0.key < $1.key }.map { "\(Terminal.grouped($0.value)) \($0.key)" }
      let sum = "\(counts.joined(separator: ", ")), \(report.moveCount) moves of refs, \(Terminal.grouped(report.byteCount)) bytes"
      Terminal.out(report.isDamaged ? "Damaged; checked \(sum)" : "Clean; checked \(sum)")
    }
    if report.isDamaged { throw ExitCode(AlmanacError.Kind.io.rawValue) }
  }
}
