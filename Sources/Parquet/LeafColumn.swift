import Columns

/// A page of a leaf: its rows, the slots of their levels, and its values among the dense ones.
struct PageRange {
  let rows: Range<Int>
  let slots: Range<Int>
  let values: Range<Int>
}

/// One leaf of a row group: its values without nulls, and the levels that say where they belong.
struct LeafColumn {
  let layout: ColumnLayout
  let dense: DenseColumn
  let rowCount: Int
  let slotCount: Int
  var nullCount: Int { slotCount - dense.count }
  /// Of a flat column: set bits are values; nil when all are.
  private let validity: Bitmap?
  /// Of a nested column.
  private let shredded: ShreddedLeaf?

  /// - Parameter parts: the leaf's top column, one part after another.
  /// - Throws: `.unsupported` for nulls where the schema has none, and for values that the stored type cannot hold.
  init(_ parts: [Column], _ layout: ColumnLayout) throws(ParquetError) {
    self.layout = layout
    rowCount = parts.reduce(0) { $0 + $1.count }
    guard layout.isFlat else {
      let shredded = try ShreddedLeaf(parts, layout)
      slotCount = shredded.definitions.count
      dense = try DenseColumn(shredded.parts, layout)
      validity = nil
      self.shredded = shredded
      return
    }
    slotCount = rowCount
    let nulls = parts.reduce(0) { $0 + $1.nullCount }
    guard layout.field.isNullable || nulls == 0 else {
      throw .unsupported("Cannot write column \(layout.name): it has \(nulls) nulls where its schema allows none")
    }
    validity = nulls == 0 ? nil : ValidityBits.joined(parts)
    dense = try DenseColumn(parts, layout)
    shredded = nil
  }

  // MARK: Pages

  /// A page of long values ends before it grows past this.
  private static let pageByteCountMax = 1 << 20

  /// - Complexity: O(pages · log(rows)) for flat columns, O(slots) for nested ones.
  func pages(slotCountMax: Int) -> [PageRange] {
    let slotCountMax = max(1, slotCountMax)
    if let shredded { return nestedPages(shredded, slotCountMax) }
    var ranges: [PageRange] = []
    var row = 0
    var value = 0
    while row < rowCount {
      var rowEnd = min(row + slotCountMax, rowCount)
      var valueEnd = value + validCount(row..<rowEnd)
      // Halving keeps the rule simple; one row is the least.
      while rowEnd - row > 1 && dense.byteCount(value..<valueEnd) > Self.pageByteCountMax {
        rowEnd = row + (rowEnd - row) / 2
        valueEnd = value + validCount(row..<rowEnd)
      }
      ranges.append(PageRange(rows: row..<rowEnd, slots: row..<rowEnd, values: value..<valueEnd))
      row = rowEnd
      value = valueEnd
    }
    return ranges
  }

  private func validCount(_ rows: Range<Int>) -> Int {
    validity?.slice(from: rows.lowerBound, count: rows.count).setCount ?? rows.count
  }

  /// Pages begin with a row; a row of more slots than a page has its own.
  private func nestedPages(_ shredded: ShreddedLeaf, _ slotCountMax: Int) -> [PageRange] {
    var ranges: [PageRange] = []
    var start = (row: 0, slot: 0, value: 0)
    var here = start
    // The last row that began, and what lies before it.
    var rowStart = start
    let isRepeated = layout.repetitionMax > 0
    for slot in 0...slotCount {
      if slot == slotCount || !isRepeated || shredded.repetitions[slot] == 0 {
        here.slot = slot
        if slot > 0 { here.row += 1 }
        let isFull = slot - start.slot > slotCountMax || dense.byteCount(start.value..<here.value) > Self.pageByteCountMax
        // The row before was one too many, unless it is the page's only one.
        let end = isFull && rowStart.row > start.row ? rowStart : here
        if (isFull || slot - start.slot == slotCountMax) && end.row > start.row {
          ranges.append(PageRange(rows: start.row..<end.row, slots: start.slot..<end.slot, values: start.value..<end.value))
          start = end
        }
        rowStart = here
      }
      if slot < slotCount && Int(shredded.definitions[slot]) == layout.definitionMax { here.value += 1 }
    }
    if slotCount > start.slot {
      ranges.append(PageRange(rows: start.row..<rowCount, slots: start.slot..<slotCount, values: start.value..<dense.count))
    }
    return ranges
  }

  // MARK: Levels

  func encodeRepetitions(_ page: PageRange, into sink: inout ByteSink) {
    guard let shredded, layout.repetitionMax > 0 else { return }
    Self.encode(shredded.repetitions, page.slots, levelMax: layout.repetitionMax, &sink)
  }

  func encodeDefinitions(_ page: PageRange, into sink: inout ByteSink) {
    guard layout.definitionMax > 0 else { return }
    guard let shredded else { return RunEncoding.encode(validity, rows: page.rows, into: &sink) }
    Self.encode(shredded.definitions, page.slots, levelMax: layout.definitionMax, &sink)
  }

  private static func encode(_ levels: [UInt8], _ slots: Range<Int>, levelMax: Int, _ sink: inout ByteSink) {
    levels.withUnsafeBufferPointer { levels in
      guard let base = levels.baseAddress else { return }
      RunEncoding.encode(base + slots.lowerBound, count: slots.count, bitWidth: BitPack.bitWidth(UInt(levelMax)), into: &sink)
    }
  }
}

enum ValidityBits {
  /// The validity of all parts in a row.
  static func joined(_ parts: [Column]) -> Bitmap? {
    if parts.count == 1 { return parts[0].validity }
    let total = parts.reduce(0) { $0 + $1.count }
    let byteCount = (total + 7) / 8
    // SAFETY: stores below reach 9 bytes from the byte of the last bit; the slack behind a buffer holds them.
    let buffer = Buffer(byteCapacity: byteCount + 16)
    buffer.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount + 16)
    var position = 0
    for part in parts {
      var row = 0
      while row < part.count {
        let count = min(64, part.count - row)
        let word = part.validity?.word(at: row) ?? (count == 64 ? .max : (1 << UInt64(count)) - 1)
        let (byte, shift) = (position >> 3, UInt64(position & 7))
        let low = buffer.pointer.loadUnaligned(fromByteOffset: byte, as: UInt64.self) | word << shift
        buffer.pointer.storeBytes(of: low, toByteOffset: byte, as: UInt64.self)
        if shift > 0 {
          buffer.pointer.storeBytes(of: UInt8(truncatingIfNeeded: word >> (64 - shift)), toByteOffset: byte + 8, as: UInt8.self)
        }
        row += count
        position += count
      }
    }
    return Bitmap(BufferSlice(buffer, byteCount: byteCount), count: total)
  }
}
