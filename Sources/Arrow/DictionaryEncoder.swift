import Columns

/// Numbers the distinct values of a string or binary column in the order in which they come.
struct DictionaryEncoder: Sendable {
  private let type: DataType
  private var data = GrowableBuffer()
  private var ends: [Int64] = [0]
  /// Open addressing: the number of a value, or -1. A power of two, at most half full.
  private var table = [Int32](repeating: -1, count: 1024)

  init(_ type: DataType) { self.type = type }

  var count: Int { ends.count - 1 }

  /// The numbers of the column's values; those of nulls are 0.
  mutating func encode(_ column: Column) -> BufferSlice {
    let values = column.bytes
    let buffer = Buffer(byteCapacity: column.count * 4)
    let target = buffer.pointer.assumingMemoryBound(to: Int32.self)
    defer { _fixLifetime(column) }
    for row in 0..<column.count { target[row] = column.isValid(row) ? number(of: values[row]) : 0 }
    return BufferSlice(buffer, byteCount: column.count * 4)
  }

  private mutating func number(of bytes: UnsafeRawBufferPointer) -> Int32 {
    var slot = Int(truncatingIfNeeded: XXH3.hash64(bytes, seed: 0)) & (table.count - 1)
    while table[slot] >= 0 {
      if isEqual(bytes, at: Int(table[slot])) { return table[slot] }
      slot = (slot + 1) & (table.count - 1)
    }
    precondition(count < Int(Int32.max), "A dictionary has at most 2^31 values")
    let number = Int32(count)
    table[slot] = number
    data.append(bytes: bytes)
    ends.append(Int64(data.byteCount))
    if ends.count * 2 > table.count { grow() }
    return number
  }

  private func isEqual(_ bytes: UnsafeRawBufferPointer, at number: Int) -> Bool {
    let mine = self.bytes(at: number)
    return mine.count == bytes.count && mine.elementsEqual(bytes)
  }

  /// Valid until the next value is added.
  private func bytes(at number: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: data.pointer + Int(ends[number]), count: Int(ends[number + 1] - ends[number]))
  }

  private mutating func grow() {
    var larger = [Int32](repeating: -1, count: table.count * 2)
    for number in 0..<count {
      var slot = Int(truncatingIfNeeded: XXH3.hash64(bytes(at: number), seed: 0)) & (larger.count - 1)
      while larger[slot] >= 0 { slot = (slot + 1) & (larger.count - 1) }
      larger[slot] = Int32(number)
    }
    table = larger
  }

  /// The values from this number on.
  func values(from first: Int) -> Column {
    var builder = ColumnBuilder(type, capacity: count - first)
    for number in first..<count { builder.append(bytes: bytes(at: number)) }
    return builder.finish()
  }
}
