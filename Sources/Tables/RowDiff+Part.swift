import Columns
import History

extension RowDiff {
  /// The differing rows of one partition, ascending by key, a column at a time.
  package struct Part: Sendable {
    package let partition: Int64
    package let fields: Fields
    /// What happened to each row.
    package let operations: [Operation]
    /// The rows before, under the older schema; nulls for those that were added.
    package let before: Batch
    /// The rows after, under the newer schema; nulls for those that were removed.
    package let after: Batch
    /// For each pair of `fields`, the changed rows whose values of it differ; none for added and removed rows.
    package let differs: [[Bool]]
    /// Names of the key columns in the newer schema, and their positions in the two.
    let key: [(name: String, old: Int, new: Int)]

    package var rowCount: Int { operations.count }
    package var keyNames: [String] { key.map(\.name) }

    /// Rows of one operation, as `after` (for removed ones `before`) has them.
    package var added: Batch { after.take(rows(of: .added)) }
    package var removed: Batch { before.take(rows(of: .removed)) }
    package var changedBefore: Batch { before.take(rows(of: .changed)) }
    package var changedAfter: Batch { after.take(rows(of: .changed)) }

    package func count(of operation: Operation) -> Int { operations.count { $0 == operation } }

    private func rows(of operation: Operation) -> [Int32] {
      operations.indices.filter { operations[$0] == operation }.map { Int32($0) }
    }

    /// The key of every row under the newer version's names, in types that hold those of both.
    package func keys() throws -> Batch {
      let isRemoved = operations.map { $0 == .removed }
      let hasRemoved = isRemoved.contains(true)
      let indices = isRemoved.indices.map { Int32(isRemoved[$0] ? $0 : rowCount + $0) }
      var fields: [Field] = []
      var columns: [Column] = []
      for part in key {
        let (old, new) = try RowDiff.alike(before.columns[part.old], after.columns[part.new])
        columns.append(hasRemoved ? Column.concatenate([old, new]).take(indices) : new)
        fields.append(Field(part.name, new.type, isNullable: false, id: after.schema.fields[part.new].id))
      }
      return Batch(schema: Schema(fields), columns: columns, rowCount: rowCount)
    }

    package func slice(from start: Int, count: Int) -> Part {
      Part(
        partition: partition, fields: fields, operations: Array(operations[start..<start + count]),
        before: before.slice(from: start, count: count), after: after.slice(from: start, count: count),
        differs: differs.map { Array($0[start..<start + count]) }, key: key)
    }

    init(
      partition: Int64, fields: Fields, operations: [Operation], before: Batch, after: Batch, differs: [[Bool]],
      key: [(name: String, old: Int, new: Int)]
    ) {
      self.partition = partition
      self.fields = fields
      self.operations = operations
      self.before = before
      self.after = after
      self.differs = differs
      self.key = key
    }

    /// Compares rows that are sorted by key, each under its own schema.
    /// - Parameter disputed: rows that count as changed although no value may differ.
    /// - Complexity: O(rows × columns)
    init(
      partition: Int64, before: Batch, after: Batch, fields: Fields, key: [(name: String, old: Int, new: Int)],
      disputed: DisputedCells = DisputedCells()
    ) throws {
      var search = KeySearch(wantedCount: after.rowCount, storedCount: before.rowCount)
      for part in key {
        let (old, new) = try RowDiff.alike(before.columns[part.old], after.columns[part.new])
        search.narrow(stored: old, wanted: new)
      }
      // Rows of one key first, so that their values are compared a column at a time.
      var oldPairs: [Int32] = []
      var newPairs: [Int32] = []
      for row in 0..<after.rowCount {
        guard let match = search.match(row) else { continue }
        oldPairs.append(Int32(match))
        newPairs.append(Int32(row))
      }
      let cells = try fields.pairs.map { try RowDiff.cellsThatDiffer($0, before, oldPairs, after, newPairs) }
      var isChanged = newPairs.indices.map { pair in cells.contains { $0[pair] } }
      if !disputed.isEmpty {
        let contested = try disputed.fields(key.map { after.columns[$0.new] }, rows: newPairs)
        for pair in newPairs.indices where contested[pair] != nil { isChanged[pair] = true }
      }

      var walk = Walk()
      var place = 0
      var pair = 0
      for row in 0..<after.rowCount {
        let lower = Int(search.lower[row])
        if lower < place {
          // The same key again, as only a damaged version has it: its row before has been used up.
          if search.match(row) != nil { pair += 1 }
          walk.add(.added, old: -1, new: row, pair: -1)
          continue
        }
        walk.remove(place..<lower)
        place = lower
        if search.match(row) != nil {
          if isChanged[pair] { walk.add(.changed, old: place, new: row, pair: pair) }
          pair += 1
          place += 1
        } else {
          walk.add(.added, old: -1, new: row, pair: -1)
        }
      }
      walk.remove(place..<before.rowCount)
      self.init(
        partition: partition, fields: fields, operations: walk.operations, before: before.take(walk.oldRows),
        after: after.take(walk.newRows), differs: cells.map { flags in walk.pairs.map { $0 >= 0 && flags[Int($0)] } }, key: key)
    }

    private struct Walk {
      var operations: [Operation] = []
      var oldRows: [Int32] = []
      var newRows: [Int32] = []
      var pairs: [Int32] = []

      mutating func add(_ operation: Operation, old: Int, new: Int, pair: Int) {
        operations.append(operation)
        oldRows.append(Int32(old))
        newRows.append(Int32(new))
        pairs.append(Int32(pair))
      }

      mutating func remove(_ rows: Range<Int>) {
        for row in rows { add(.removed, old: row, new: -1, pair: -1) }
      }
    }
  }

  /// Two columns of one field in one type.
  static func alike(_ a: Column, _ b: Column) throws -> (Column, Column) {
    guard a.type != b.type, let type = DataType.widest(a.type, b.type) else { return (a, b) }
    return (try a.cast(to: type), try b.cast(to: type))
  }

  /// Whether the values of one field differ, for each pair of rows. A column that the newer side has dropped is unchanged; one
  /// that the older side did not have was null there.
  private static func cellsThatDiffer(
    _ pair: Fields.Pair, _ before: Batch, _ oldRows: [Int32], _ after: Batch, _ newRows: [Int32]
  ) throws -> [Bool] {
    var result = [Bool](repeating: false, count: newRows.count)
    guard let position = pair.new, !pair.isDropped else { return result }
    guard let other = pair.old else {
      let column = after.columns[position]
      if column.nullCount < column.count { for index in newRows.indices { result[index] = column.isValid(Int(newRows[index])) } }
      return result
    }
    let (old, new) = try alike(before.columns[other], after.columns[position])
    RowComparison.mark(&result, old, oldRows, new, newRows)
    return result
  }
}
