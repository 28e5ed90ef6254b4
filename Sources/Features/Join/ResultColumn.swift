import Columns

/// A feature's values in label order, written in any order; what is not written is null, or the initial value if one is given.
struct ResultColumn<Element: BitwiseCopyable> {
  private let type: DataType
  private let buffer: Buffer
  private let values: UnsafeMutablePointer<Element>
  private var isValid: [Bool]
  private let count: Int

  /// - Parameter initial: what rows hold that are never written; nil for null.
  init(_ type: DataType, count: Int, initial: Element?, zero: Element) {
    precondition(type.byteWidth == MemoryLayout<Element>.stride)
    self.type = type
    self.count = count
    buffer = Buffer(byteCapacity: count * MemoryLayout<Element>.stride)
    // SAFETY: `buffer` has room for `count` elements, is kept alive by this value, and is shared only by `finish`.
    values = buffer.pointer.bindMemory(to: Element.self, capacity: count)
    values.update(repeating: initial ?? zero, count: count)
    isValid = [Bool](repeating: initial != nil, count: count)
  }

  @inline(__always) mutating func write(_ value: Element, at row: Int) {
    isValid[row] = true
    values[row] = value
  }

  consuming func finish() -> Column {
    Column(
      type: type, count: count, validity: Bitmap(flags: isValid),
      data: BufferSlice(buffer, byteCount: count * MemoryLayout<Element>.stride))
  }
}
