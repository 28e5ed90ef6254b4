import Almanac
import Foundation
import JSON
import Synchronization

/// Everything the command says: results on standard output, messages and progress on standard error.
enum Terminal {
  static func out(_ text: String) { write(text, to: FileHandle.standardOutput) }

  static func err(_ text: String) { write(text, to: FileHandle.standardError) }

  static func out(_ json: JSON) { out(json.text(pretty: isatty(STDOUT_FILENO) != 0)) }

  static func report(_ error: AlmanacError) {
    ProgressBar.clear()
    err("error: \(error.description)")
    if let hint = error.hint { err("hint: \(hint)") }
  }

  private static func write(_ text: String, to handle: FileHandle) {
    handle.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  /// Columns of text, each as wide as its widest cell; numbers to the right.
  static func table(_ rows: [[String]], numeric: Set<Int> = []) -> String {
    guard let first = rows.first else { return "" }
    let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        line += (column == 0 ? "" : "  ") + (numeric.contains(column) ? padding + cell : cell + padding)
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  /// 1234567 as 1,234,567.
  static func grouped(_ number: Int) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }
}

/// One line on a terminal that shows how far long work is; nothing elsewhere.
enum ProgressBar {
  private struct State {
    var lastDraw = ContinuousClock.now - .seconds(1)
    var isShown = false
  }

  private static let state = Mutex(State())

  /// A handler for the façade's long calls, nil when nobody would see it.
  static func handler(_ options: GlobalOptions, unit: String = "rows") -> ProgressHandler? {
    guard !options.quiet && !options.json && isatty(STDERR_FILENO) != 0 else { return nil }
    return { phase, done, total in draw(phase, done, total, unit) }
  }

  private static func draw(_ phase: String, _ done: Int, _ total: Int, _ unit: String) {
    state.withLock { state in
      let now = ContinuousClock.now
      // Ten frames a second are enough for an eye, and cost nothing.
      guard now - state.lastDraw > .milliseconds(100) || (total > 0 && done == total) else { return }
      state.lastDraw = now
      state.isShown = true
      var line = "\r\u{1B}[K\(phase)  "
      if total > 0 {
        let filled = 30 * done / total
        line += "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 30 - filled) + "] "
        line += "\(100 * done / total) %  \(Terminal.grouped(done)) of \(Terminal.grouped(total)) \(unit)"
      } else {
        line += "\(Terminal.grouped(done)) \(unit)"
      }
      FileHandle.standardError.write(Data(line.utf8))
    }
  }

  static func clear() {
    state.withLock { state in
      guard state.isShown else { return }
      state.isShown = false
      FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
    }
  }
}
