import Almanac
import Columns
import Tables

/// How a dataset of a random history begins: its key, its first columns and rows.
struct HistoryStart {
  enum KeyShape: CaseIterable { case number, narrowNumber, numberAndText, numberAndMonth, numberAndDay }
  enum Tails: CaseIterable { case standard, eager }

  var key: KeyShape
  var tails: Tails
  var columns: [(name: String, type: HistoryType, isRequired: Bool)]
  /// None where the contract alone begins it.
  var rows: [HistoryRow]

  static let keyCount = 15

  /// The columns of the key, in their order.
  var keyColumns: [(name: String, type: HistoryType)] {
    switch key {
    case .number: [("k", .int64)]
    case .narrowNumber: [("k", .int32)]
    case .numberAndText: [("k", .int64), ("s", .utf8)]
    case .numberAndMonth, .numberAndDay: [("k", .int64), ("at", .timestamp)]
    }
  }

  func key(_ number: Int) -> HistoryKey {
    switch key {
    case .number, .narrowNumber: return [.int(Int64(number))]
    case .numberAndText: return [.int(Int64(number / 3)), .text("s\(number % 3)")]
    case .numberAndMonth, .numberAndDay:
      let day = CivilTime.days(year: 2026, month: 1, day: 30) + Int64(number % 3) * 2
      return [.int(Int64(number / 3)), .time(day * CivilTime.microsPerDay)]
    }
  }

  /// The number of the partition in which a key lies; only their order matters.
  func partition(_ key: HistoryKey) -> Int64 {
    guard case .time(let micros)? = key.last else { return 0 }
    if self.key == .numberAndMonth { return micros < CivilTime.days(year: 2026, month: 2, day: 1) * CivilTime.microsPerDay ? 0 : 1 }
    return micros / CivilTime.microsPerDay
  }

  var tailPolicy: TailPolicy {
    switch tails {
    case .standard: .standard
    case .eager: TailPolicy(rewrittenRowCountMin: 2, rewrittenRowFactor: 1, mergeCount: 3, sizeClassFactor: 3, foldFactor: 1)
    }
  }

  var text: String {
    let columns = columns.map { "\($0.name) \($0.type.rawValue)\($0.isRequired ? " required" : "")" }.joined(separator: ", ")
    let rows = rows.isEmpty ? "no rows" : "rows \(rows.map(\.text).joined(separator: " "))"
    return "start: key \(key), tails \(tails), columns \(columns), \(rows)"
  }
}

/// Cells of one row by column, as numbers that stand for values of the column's type. Others keep their value; in a new row they are
/// null, or what 0 stands for where they are required.
struct HistoryRow: Hashable {
  var key: Int
  var cells: [String: Int]

  var text: String { "\(key)(\(cells.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")))" }
}

enum HistoryAction {
  case evolve([HistoryEdit], keepsPreviousNames: Bool)
  case write(ChangeMode, [HistoryRow], format: String)
  case branch(String)
  case switchTo(String)
  case merge(String, MergeStrategy)
  /// Of the commit that the operation of this number made.
  case revert(Int, MergeStrategy)
  case pick(Int, MergeStrategy)
  case undo(Int)
  case redo(Int)
  case seal
  case collect(forgetsMoves: Bool)

  var text: String {
    switch self {
    case .evolve(let edits, let keeps):
      "apply: \(edits.map(\.text).joined(separator: ", "))\(keeps ? "" : " (previous names forgotten)")"
    case .write(let mode, let rows, let format): "\(mode) (\(format)): \(rows.map(\.text).joined(separator: " "))"
    case .branch(let name): "branch \(name)"
    case .switchTo(let name): "switch to \(name)"
    case .merge(let name, let strategy): "merge \(name) (\(strategy))"
    case .revert(let number, let strategy): "revert #\(number) (\(strategy))"
    case .pick(let number, let strategy): "cherry-pick #\(number) (\(strategy))"
    case .undo(let count): "undo \(count)"
    case .redo(let count): "redo \(count)"
    case .seal: "seal"
    case .collect(let forgets): "gc\(forgets ? " without ref log" : "")"
    }
  }
}

/// An action under a number that stays its own when others are left out.
struct HistoryOperation {
  let number: Int
  var action: HistoryAction

  var text: String { "#\(number) \(action.text)" }
}

/// All that a history needs to be played again. What makes no sense at its place is passed over, so that any part of a script is one.
struct HistoryScript {
  var start: HistoryStart
  var operations: [HistoryOperation] = []
}

/// What is wrong, by kind, so that a shorter history can be told to fail in the same way.
struct HistoryFailure: Error, CustomStringConvertible {
  let kind: String
  let detail: String

  var description: String { "\(kind): \(detail)" }
}
