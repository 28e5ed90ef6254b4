import Columns

/// The levels of one leaf of nested columns, and where its values lie.
///
/// A slot is a value, or what stands in its place: a null, an empty list. Source: Dremel, as in the format's
/// "Nested Encoding"; a slot's definition level counts the optional and repeated elements on its path that are there, its
/// repetition level the innermost list that it continues (0: it starts a row).
struct ShreddedLeaf {
  fileprivate(set) var definitions: [UInt8] = []
  fileprivate(set) var repetitions: [UInt8] = []
  /// Rows of leaf columns in order; nulls among them have their slot.
  fileprivate(set) var parts: [Column] = []

  private let layout: ColumnLayout
  /// The last part as a range of its leaf column, while it may still grow.
  private var open: (column: Column, range: Range<Int>)?

  /// Rows that are walked at once: what they need beside the levels stays small.
  private static let blockRowCount = 1 << 13

  /// - Throws: `.unsupported` for a null where the schema has none.
  init(_ columns: [Column], _ layout: ColumnLayout) throws(ParquetError) {
    self.layout = layout
    for column in columns {
      for start in stride(from: 0, to: column.count, by: Self.blockRowCount) {
        try shred(column, start..<min(start + Self.blockRowCount, column.count))
      }
      close()
    }
  }

  private mutating func close() {
    if let open { parts.append(open.column.slice(from: open.range.lowerBound, count: open.range.count)) }
    open = nil
  }

  private mutating func shred(_ top: Column, _ rows: Range<Int>) throws(ParquetError) {
    var walk = Walk(rows, layout)
    var node = top
    for step in layout.steps {
      try walk.mark(node, isNullable: step.isNullable)
      if node.type.hasOffsets { walk.expand(node) }
      node = node.children[step.child]
    }
    append(node, walk.rows)
    try walk.mark(node, isNullable: layout.field.isNullable)
    definitions.append(contentsOf: walk.definitions)
    if layout.repetitionMax > 0 { repetitions.append(contentsOf: walk.repetitions) }
  }

  /// Takes the rows of the leaf that have a slot of their own.
  private mutating func append(_ leaf: Column, _ slots: [Int]) {
    let live = slots.filter { $0 >= 0 }
    guard let first = live.first, let last = live.last else { return }
    // Rows are in order; without gaps they are a slice.
    if last - first + 1 == live.count {
      if let range = open?.range, range.upperBound == first {
        open?.range = range.lowerBound..<(last + 1)
      } else {
        close()
        open = (leaf, first..<(last + 1))
      }
      return
    }
    close()
    var start = 0
    while start < live.count {
      // Row numbers of `take` have 32 bits: a span beyond them is taken in pieces.
      var end = min(live.count, start + (1 << 24))
      while live[end - 1] - live[start] >= Int(Int32.max) { end = start + (end - start) / 2 }
      let base = live[start]
      let span = leaf.slice(from: base, count: live[end - 1] - base + 1)
      parts.append(span.take(live[start..<end].map { Int32($0 - base) }))
      start = end
    }
  }
}

/// The slots of some rows on the way down from the top column to the leaf.
private struct Walk {
  private(set) var definitions: [UInt8]
  private(set) var repetitions: [UInt8]
  /// The row in the current column, or -1 where something above is null or empty.
  private(set) var rows: [Int]
  private var depth: UInt8 = 0
  private var repetitionDepth: UInt8 = 0
  private let layout: ColumnLayout

  init(_ range: Range<Int>, _ layout: ColumnLayout) {
    definitions = [UInt8](repeating: 0, count: range.count)
    repetitions = definitions
    rows = Array(range)
    self.layout = layout
  }

  /// Ends the slots whose row is null.
  mutating func mark(_ column: Column, isNullable: Bool) throws(ParquetError) {
    guard isNullable else {
      guard let validity = column.validity else { return }
      for row in rows where row >= 0 && !validity[row] {
        throw .unsupported("Cannot write column \(layout.name): it has a null where its schema allows none")
      }
      return
    }
    depth += 1
    for slot in rows.indices where rows[slot] >= 0 {
      if column.isValid(rows[slot]) { definitions[slot] = depth } else { rows[slot] = -1 }
    }
  }

  /// Replaces each list by its elements.
  mutating func expand(_ column: Column) {
    depth += 1
    repetitionDepth += 1
    let offsets = column.listOffsets
    var next = (definitions: [UInt8](), repetitions: [UInt8](), rows: [Int]())
    next.definitions.reserveCapacity(rows.count)
    next.repetitions.reserveCapacity(rows.count)
    next.rows.reserveCapacity(rows.count)
    for slot in rows.indices {
      let row = rows[slot]
      let range = row < 0 ? 0..<0 : Int(offsets[row])..<Int(offsets[row + 1])
      if range.isEmpty {
        next.definitions.append(definitions[slot])
        next.repetitions.append(repetitions[slot])
        next.rows.append(-1)
        continue
      }
      next.definitions.append(contentsOf: repeatElement(depth, count: range.count))
      next.repetitions.append(repetitions[slot])
      next.repetitions.append(contentsOf: repeatElement(repetitionDepth, count: range.count - 1))
      next.rows.append(contentsOf: range)
    }
    (definitions, repetitions, rows) = next
  }
}
