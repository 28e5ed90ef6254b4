import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// Collects strings page by page: ascending ends and the bytes, as a column holds them.
struct BytesAppender {
  private var offsetBuffer: Buffer
  private var buffer: Buffer
  private var valueCapacity: Int
  /// What a file of this size may grow to in memory: beyond it, it is a bomb.
  let byteCountMax: Int
  private(set) var count = 0
  private(set) var byteCount = 0

  init(valueCapacity: Int, byteCapacity: Int, byteCountMax: Int) {
    offsetBuffer = Buffer(byteCapacity: (valueCapacity + 1) * 8)
    buffer = Buffer(byteCapacity: max(64, min(byteCapacity, byteCountMax)))
    self.valueCapacity = valueCapacity
    self.byteCountMax = byteCountMax
    ends[0] = 0
  }

  /// `ends[i]` is where value `i - 1` ends and value `i` starts.
  private var ends: UnsafeMutablePointer<Int64> { offsetBuffer.pointer.assumingMemoryBound(to: Int64.self) }

  /// Makes room for more values; grows by doubling.
  mutating func reserve(valueCount added: Int) {
    guard added > valueCapacity - count else { return }
    valueCapacity = max(count + added, valueCapacity * 2)
    let larger = Buffer(byteCapacity: (valueCapacity + 1) * 8)
    larger.pointer.copyMemory(from: offsetBuffer.pointer, byteCount: (count + 1) * 8)
    offsetBuffer = larger
  }

  private mutating func reserve(valueCount: Int, byteCount added: Int) throws(ParquetError) {
    precondition(valueCount <= valueCapacity - count)
    guard added <= byteCountMax - byteCount else {
      throw .unsupported("its values take more than \(byteCountMax) bytes in one row group")
    }
    guard byteCount + added > buffer.byteCapacity else { return }
    let larger = Buffer(byteCapacity: max(byteCount + added, buffer.byteCapacity * 2))
    larger.pointer.copyMemory(from: buffer.pointer, byteCount: byteCount)
    buffer = larger
  }

  /// Copies up to 16 bytes as a vector where the source allows it; the target has a buffer's slack.
  @inline(__always) private static func copy(
    _ source: UnsafeRawPointer, _ length: Int, to target: UnsafeMutableRawPointer, isVectorReadable: Bool
  ) {
    if length <= 16 && isVectorReadable {
      target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
      target.storeBytes(of: source.loadUnaligned(fromByteOffset: 8, as: UInt64.self), toByteOffset: 8, as: UInt64.self)
    } else {
      memcpy(target, source, length)
    }
  }

  /// PLAIN: four bytes of length in front of each value.
  /// - Parameter isWhole: whether these are all the values in the bytes, so that memory for all bytes is asked for at once.
  /// - Returns: the bytes that the values took.
  mutating func append(plain bytes: UnsafeRawBufferPointer, count added: Int, isWhole: Bool = true) throws(ParquetError) -> Int {
    guard added > 0 else { return 0 }
    guard added <= bytes.count / 4, let source = bytes.baseAddress else {
      throw .malformed("\(bytes.count) bytes cannot hold \(added) values with their lengths")
    }
    if !isWhole { return try appendSome(plain: bytes, count: added) }
    try reserve(valueCount: added, byteCount: bytes.count)
    // SAFETY: room for all bytes and values was reserved; every length is checked against the bytes that are left.
    let (ends, target, size) = (ends + count + 1, buffer.pointer, bytes.count)
    var position = 0
    var written = byteCount
    for index in 0..<added {
      guard size &- position >= 4 else { throw .malformed("its values end after \(index) of \(added)") }
      let length = Int(source.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      position &+= 4
      guard length <= size &- position else {
        throw .malformed("value \(index) claims \(length) bytes, but only \(size - position) are left")
      }
      Self.copy(source + position, length, to: target + written, isVectorReadable: size &- position >= 16)
      position &+= length
      written &+= length
      ends[index] = Int64(truncatingIfNeeded: written)
    }
    byteCount = written
    count += added
    return position
  }

  /// Some of the values of a page: their lengths first, then their bytes.
  private mutating func appendSome(plain bytes: UnsafeRawBufferPointer, count added: Int) throws(ParquetError) -> Int {
    precondition(added <= valueCapacity - count)
    let targetEnds = ends + count + 1
    var position = 0
    var total = byteCount
    for index in 0..<added {
      guard bytes.count - position >= 4 else { throw .malformed("its values end after \(index) of \(added)") }
      let length = Int(bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      guard length <= bytes.count - position - 4 else {
        throw .malformed("value \(index) claims \(length) bytes, but only \(bytes.count - position - 4) are left")
      }
      position += 4 + length
      total += length
      targetEnds[index] = Int64(total)
    }
    try reserve(valueCount: added, byteCount: total - byteCount)
    guard let source = bytes.baseAddress else { return 0 }
    var from = 0
    var start = byteCount
    for index in 0..<added {
      let end = Int(targetEnds[index])
      from += 4
      Self.copy(source + from, end - start, to: buffer.pointer + start, isVectorReadable: bytes.count - from >= 16)
      from += end - start
      start = end
    }
    byteCount = total
    count += added
    return position
  }

  /// Values of one length without lengths in front.
  mutating func append(fixed bytes: UnsafeRawBufferPointer, byteWidth: Int, count added: Int) throws(ParquetError) {
    guard added > 0 else { return }
    guard added <= bytes.count / byteWidth, let source = bytes.baseAddress else {
      throw .malformed("\(bytes.count) bytes cannot hold \(added) values of \(byteWidth) bytes")
    }
    try reserve(valueCount: added, byteCount: added * byteWidth)
    memcpy(buffer.pointer + byteCount, source, added * byteWidth)
    for index in 0..<added { ends[count + 1 + index] = Int64(byteCount + (index + 1) * byteWidth) }
    byteCount += added * byteWidth
    count += added
  }

  /// The entries of a dictionary by number.
  mutating func append(
    _ dictionary: BytesAppender, indices: UnsafePointer<UInt32>, count added: Int
  ) throws(ParquetError) {
    let sourceEnds = dictionary.ends
    let targetEnds = ends + count + 1
    precondition(added <= valueCapacity - count)
    // At most 2^31 values of less than 2^31 bytes each: the sum cannot overflow.
    var total = byteCount
    for index in 0..<added {
      let entry = Int(indices[index])
      total &+= Int(sourceEnds[entry &+ 1] &- sourceEnds[entry])
      targetEnds[index] = Int64(total)
    }
    try reserve(valueCount: added, byteCount: total - byteCount)
    let (source, target) = (UnsafeRawPointer(dictionary.buffer.pointer), buffer.pointer)
    var start = byteCount
    for index in 0..<added {
      let end = Int(targetEnds[index])
      // A buffer has 64 bytes of slack: vectors may be read behind the last entry.
      Self.copy(source + Int(sourceEnds[Int(indices[index])]), end &- start, to: target + start, isVectorReadable: true)
      start = end
    }
    _fixLifetime(dictionary.buffer)
    byteCount = total
    count += added
  }

  /// Values whose lengths are known and whose bytes lie one after another.
  /// - Precondition: the lengths were checked to lie within the bytes.
  mutating func append(lengths: UnsafePointer<UInt32>, count added: Int, bytes: UnsafeRawBufferPointer) throws(ParquetError) {
    try reserve(valueCount: added, byteCount: bytes.count)
    if let source = bytes.baseAddress { memcpy(buffer.pointer + byteCount, source, bytes.count) }
    var end = byteCount
    for index in 0..<added {
      end &+= Int(lengths[index])
      ends[count &+ 1 &+ index] = Int64(end)
    }
    byteCount = end
    count += added
  }

  /// Some values of another appender.
  mutating func append(_ other: BytesAppender, from first: Int, count added: Int) throws(ParquetError) {
    let start = Int(other.ends[first])
    let total = Int(other.ends[first + added]) - start
    try reserve(valueCount: added, byteCount: total)
    memcpy(buffer.pointer + byteCount, other.buffer.pointer + start, total)
    let shift = Int64(byteCount - start)
    for index in 0..<added { ends[count + 1 + index] = other.ends[first + 1 + index] + shift }
    _fixLifetime(other.buffer)
    byteCount += total
    count += added
  }

  /// DELTA_BYTE_ARRAY: lengths shared with the value before, then the rests as DELTA_LENGTH_BYTE_ARRAY.
  mutating func append(deltaBytes bytes: UnsafeRawBufferPointer, count added: Int) throws(ParquetError) {
    guard added > 0 else { return }
    let (prefixes, suffixStart) = try DeltaLengths.decode(bytes, count: added)
    let rest = UnsafeRawBufferPointer(rebasing: bytes[suffixStart...])
    let (suffixes, position) = try DeltaLengths.decode(rest, count: added)
    guard suffixes.total <= rest.count - position, let base = rest.baseAddress else {
      throw .malformed("its values claim \(suffixes.total) bytes, but only \(rest.count - position) are left")
    }
    try reserve(valueCount: added, byteCount: prefixes.total + suffixes.total)
    // SAFETY: both sums are reserved; a prefix is checked against the value before, the rests against their bytes.
    let (ends, target) = (ends + count + 1, buffer.pointer)
    var source = base + position
    var written = byteCount
    var previousStart = byteCount
    for index in 0..<added {
      let (prefix, suffix) = (Int(prefixes.base[index]), Int(suffixes.base[index]))
      guard prefix <= written &- previousStart else {
        throw .malformed("value \(index) shares \(prefix) bytes with a value of \(written - previousStart)")
      }
      memcpy(target + written, target + previousStart, prefix)
      memcpy(target + written + prefix, source, suffix)
      source += suffix
      previousStart = written
      written &+= prefix &+ suffix
      ends[index] = Int64(written)
    }
    _fixLifetime((prefixes.buffer, suffixes.buffer))
    byteCount = written
    count += added
  }

  /// Spreads the last values over a page's rows: those whose bit is clear become empty.
  /// - Parameter valid: says of row `i` of the page whether it has one of the last `valueCount` values.
  mutating func spread(valueCount: Int, rowCount: Int, valid: UnsafePointer<UInt8>, bitOffset: Int) {
    precondition(rowCount - valueCount <= valueCapacity - count && valueCount <= rowCount)
    let first = count - valueCount
    let ends = ends + first
    var source = valueCount
    var row = rowCount
    // From behind: a row's value never lies behind the row.
    while row > source {
      ends[row] = ends[source]
      row &-= 1
      let bit = bitOffset &+ row
      source &-= Int(valid[bit &>> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1)
    }
    count = first + rowCount
  }

  /// Checks that the values from one on are UTF-8.
  /// - Complexity: O(bytes)
  func checkText(from first: Int) throws(ParquetError) {
    let start = Int(ends[first])
    let bytes = UnsafeRawBufferPointer(start: buffer.pointer + start, count: byteCount - start)
    defer { _fixLifetime(buffer) }
    let found = TextValidation.check(bytes)
    if found == .ascii { return }
    var isValid = found == .text
    // Valid as a whole, each value is valid when none starts in the middle of a character.
    var index = first
    while isValid && index < count {
      let place = Int(ends[index])
      if ends[index + 1] > ends[index], (buffer.pointer + place).load(as: UInt8.self) & 0xC0 == 0x80 { isValid = false }
      index += 1
    }
    if isValid { return }
    for index in first..<count where TextValidation.check(value(index)) == .invalid {
      throw .malformed("value \(index - first) is not valid UTF-8, which its type promises")
    }
  }

  /// The mean bytes of a value, rounded up.
  var averageByteCount: Int { count == 0 ? 0 : (byteCount + count - 1) / count }

  /// The bytes of the longest value. - Complexity: O(count)
  var greatestByteCount: Int {
    var greatest: Int64 = 0
    for index in 0..<count { greatest = max(greatest, ends[index + 1] - ends[index]) }
    return Int(greatest)
  }

  /// The bytes of a value; valid while this exists.
  func value(_ index: Int) -> UnsafeRawBufferPointer {
    let start = Int(ends[index])
    return UnsafeRawBufferPointer(start: buffer.pointer + start, count: Int(ends[index + 1]) - start)
  }

  /// - Parameter values: which of the values.
  func finish() -> (data: BufferSlice, offsets: BufferSlice) {
    (BufferSlice(buffer, byteCount: byteCount), BufferSlice(offsetBuffer, byteCount: (count + 1) * 8))
  }
}
