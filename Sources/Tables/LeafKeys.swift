import Columns
import History

/// What of a layout decides how the rows of a partition are ordered, cut and told apart.
struct KeyForm: Hashable, Sendable {
  /// The key columns in clustering order, under no name: renames change no key.
  let fields: [Field]
  /// Which of them is the event time, where it divides the rows.
  let timeIndex: Int?
  let partitioning: Partitioning
  let leafRowCount: Int

  init(_ layout: TableLayout) {
    fields = layout.keySchema.fields.map { Field("", $0.type, isNullable: false, id: $0.id) }
    timeIndex = layout.partitioning == .none ? nil : layout.eventTime.flatMap { layout.primaryKey.firstIndex(of: $0) }
    partitioning = layout.partitioning
    leafRowCount = layout.leafRowCount
  }

  /// Whether keys have a column of bits. Older versions of the program read these wrongly from parts of a column, and then wrote rows out
  /// of order, under keys of other rows, and cut where no leaf ends.
  var hasBits: Bool { fields.contains { $0.type == .bool } }

  /// The values of an encoded key, for messages.
  func text(_ key: [UInt8]) -> String {
    guard let values = try? KeyEncoder.decode(key, types: fields.map(\.type)) else { return "\(key.count) bytes that are no key" }
    return "(\(values.map(\.keyText).joined(separator: ", ")))"
  }
}

/// What the rows of a leaf say of their keys, whatever the tree says that names it.
struct LeafKeys: Sendable {
  let rowCount: Int
  /// Empty where there are no rows, or no keys.
  var firstKey: [UInt8] = []
  var lastKey: [UInt8] = []
  /// Whether the rule of cuts ends a leaf behind the last row.
  var endsAtCut = false
  /// What is wrong with the rows, whatever names them; in sentences.
  var problems: [String] = []

  /// - Parameter number: of the partition that the leaf belongs to.
  /// - Throws: `TableError`, `StoreError` when the file cannot be read.
  /// - Complexity: O(rows), the key columns
  init(_ id: LeafID, form: KeyForm, partition number: Int64, in archive: Archive) throws {
    let stored = try StoredRows(leaf: id, in: archive)
    self.init(try stored.read(form.fields).columns, form: form, partition: number)
  }

  /// - Parameter columns: the key columns of all rows.
  init(_ columns: [Column], form: KeyForm, partition number: Int64) {
    rowCount = columns.first?.count ?? 0
    guard rowCount > 0 else {
      problems.append("it has no rows")
      return
    }
    let keys: EncodedKeys
    do throws(KeyError) {
      keys = try KeyEncoder.encodeAll(columns, rows: 0..<rowCount)
    } catch {
      problems.append("\(error)")
      return
    }
    firstKey = keys.array(at: 0)
    lastKey = keys.array(at: rowCount - 1)
    if let row = SortKernel.firstInversion(in: columns) {
      let (before, found) = (form.text(keys.array(at: row - 1)), form.text(keys.array(at: row)))
      problems.append("its rows \(row) and \(row + 1) are not in the order of the key: \(found) stands behind \(before)")
      if let order = SortKernel.permutation(by: columns), let second = SortKernel.firstDuplicate(in: columns.map { $0.take(order) }) {
        let (row, other) = (order[second - 1], order[second])
        problems.append("its rows \(row + 1) and \(other + 1) have one key: \(form.text(keys.array(at: Int(row))))")
      }
    } else if let row = SortKernel.firstDuplicate(in: columns) {
      problems.append("its rows \(row) and \(row + 1) have one key: \(form.text(keys.array(at: row)))")
    }
    if let index = form.timeIndex {
      let numbers = PartitionNumbers.column(of: columns[index], form.partitioning).values(Int64.self)
      if let row = (0..<rowCount).first(where: { numbers[$0] != number }) {
        problems.append("its row \(row + 1) belongs to partition \(numbers[row]), not \(number)")
      }
    }
    let rule = CutRule(level: 0, targetRowCount: form.leafRowCount)
    if let row = (0..<rowCount - 1).first(where: { rule.isCut(keyBytes: keys[$0], rowsIncludingThis: $0 + 1) }) {
      problems.append("it goes on behind its row \(row + 1), where a leaf ends")
    }
    endsAtCut = rule.isCut(keyBytes: keys[rowCount - 1], rowsIncludingThis: rowCount)
  }

  /// Whether rows stand in the order of their keys, each key once, the first and the last where the tree says: what a search by key
  /// relies on. - Complexity: O(rows), mostly of the first column
  static func areOrdered(_ columns: [Column], as entry: LeafEntry) -> Bool {
    guard let count = columns.first?.count, count > 0, count == entry.rowCount, columns.allSatisfy({ $0.nullCount == 0 }),
      SortKernel.firstInversion(in: columns) == nil, SortKernel.firstDuplicate(in: columns) == nil
    else { return false }
    return (try? KeyEncoder.encode(columns, row: 0)) == entry.firstKey && (try? KeyEncoder.encode(columns, row: count - 1)) == entry.lastKey
  }

  /// What an entry of a tree says of this leaf that is not so; nil when all of it is.
  func difference(from entry: LeafEntry, form: KeyForm) -> String? {
    guard entry.rowCount == rowCount else { return "expected \(entry.rowCount) rows, found \(rowCount)" }
    guard !firstKey.isEmpty, entry.firstKey != firstKey || entry.lastKey != lastKey else { return nil }
    return "expected keys \(form.text(entry.firstKey)) to \(form.text(entry.lastKey)), "
      + "found \(form.text(firstKey)) to \(form.text(lastKey))"
  }
}

extension Scalar {
  /// As messages name a value of a key.
  var keyText: String {
    switch self {
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .string(let value): "'\(value)'"
    case .binary(let value): value.count == 1 ? "1 byte" : "\(value.count) bytes"
    case .date(let days): CivilTime.formatDate(days: Int64(days))
    case .timestamp(let ticks, let unit): CivilTime.formatTimestamp(ticks, unit)
    default: "a value"
    }
  }
}
