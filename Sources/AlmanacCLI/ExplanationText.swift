import Almanac
import Foundation

/// What was read for a training set, for people.
enum ExplanationText {
  /// Files listed for each view; `--json` has all.
  private static let fileCountMax = 20

  static func lines(_ explanation: TrainingExplanation) -> [String] {
    [
      "\(explanation.service) at commit \(explanation.commit.short), \(Terminal.grouped(explanation.labelCount)) label rows"
    ] + explanation.views.flatMap { lines($0) }
  }

  private static func lines(_ view: TrainingExplanation.View) -> [String] {
    let summary = view.summary
    func of(_ read: Int, _ all: Int) -> String { "\(Terminal.grouped(read)) of \(Terminal.grouped(all))" }
    let source = view.root.map { "dataset \(view.dataset), root \($0.prefix(12))" } ?? "dataset \(view.dataset)"
    var facts = [["  access", "\(summary.access.rawValue): \(view.reason)"]]
    if let filter = view.filter { facts.append(["  where", filter]) }
    if let times = summary.times {
      let from = times.lowerBound == .min ? "the first event" : stamp(times.lowerBound)
      let reach = summary.lookbackMicros.map { ", \(duration($0)) back at most" } ?? ", the newest row however old"
      facts.append(["  times", "\(from) to \(stamp(times.upperBound))\(reach)"])
    } else if summary.access != .noRows {
      facts.append(["  times", "all"])
    }
    if summary.partitionCount > 0 {
      let leaves = "\(count(summary.leafCount, "leaf", "leaves")) and \(count(summary.tailCount, "tail", "tails"))"
      facts.append(["  partitions", "\(of(summary.readPartitionCount, summary.partitionCount)) reach into these times: \(leaves)"])
    }
    let missing =
      summary.labelsWithoutEntityCount == 0 ? "" : ", \(Terminal.grouped(summary.labelsWithoutEntityCount)) label rows without a key"
    facts.append([
      "  entities",
      "\(Terminal.grouped(summary.entityCount)), in \(of(summary.readRangeCount, summary.rangeCount * summary.labelBatchCount)) ranges\(missing)",
    ])
    facts.append(["  rows", "\(of(summary.selectedRowCount, summary.rowCount)) may matter to a label"])
    guard !summary.files.isEmpty else { return ["", title(view, source), Terminal.table(facts)] }
    let bytes = "\(InspectionText.bytes(view.readByteCount)) of \(InspectionText.bytes(view.byteCount))"
    facts.append(["  pages", "\(of(view.readPageCount, view.pageCount)) decoded, \(bytes)"])
    var table = [["  file", "rows", "pages", "bytes", "columns with pages decoded"]]
    for file in summary.files.prefix(fileCountMax) {
      let words = file.name.split(separator: " ")
      let name = words.enumerated().map { $0.offset == 1 ? String($0.element.prefix(12)) : String($0.element) }.joined(separator: " ")
      let whole = file.columns.filter { $0.readPageCount == $0.pageCount }.map(\.name)
      let parts = file.columns.filter { $0.readPageCount < $0.pageCount }.map { "\($0.name) \($0.readPageCount)/\($0.pageCount)" }
      table.append([
        "  \(name)", Terminal.grouped(file.rowCount), of(file.readPageCount, file.pageCount), InspectionText.bytes(file.readByteCount),
        (whole.isEmpty ? parts : ["all of " + whole.joined(separator: " ")] + parts).joined(separator: ", "),
      ])
    }
    var lines = ["", title(view, source), Terminal.table(facts), Terminal.table(table, numeric: [1, 2, 3])]
    if summary.files.count > fileCountMax {
      lines.append("  \(Terminal.grouped(summary.files.count - fileCountMax)) more files; --json lists all")
    }
    return lines
  }

  private static func count(_ number: Int, _ one: String, _ many: String) -> String {
    "\(Terminal.grouped(number)) \(number == 1 ? one : many)"
  }

  private static func title(_ view: TrainingExplanation.View, _ source: String) -> String {
    "\(view.name)\(view.alias.map { " as \($0)" } ?? ""): \(source)"
  }

  private static func stamp(_ micros: Int64) -> String {
    let date = Date(timeIntervalSince1970: Double(micros) / 1_000_000)
    return date.formatted(.iso8601)
  }

  private static func duration(_ micros: Int64) -> String {
    for (unit, size) in [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)] as [(String, Int64)]
    where micros % size == 0 { return "\(micros / size)\(unit)" }
    return "\(micros) us"
  }
}
