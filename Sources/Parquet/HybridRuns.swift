import Columns

/// The RLE / bit-packing hybrid of levels, dictionary indices and booleans.
///
/// Source: parquet-format/Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
struct HybridRuns {
  enum Run {
    case repeated(value: UInt32, count: Int)
    /// Packed values at a byte offset; their bytes are known to be there.
    case packed(byteOffset: Int, count: Int)
  }

  private let bytes: UnsafeRawBufferPointer
  private let bitWidth: Int
  private var position = 0
  private var left: Int
  /// What the last call cut off.
  private var rest: Run?

  /// - Parameters:
  ///   - bytes: followed by the slack of `BitUnpack`.
  ///   - count: the most values that will be asked for.
  init(_ bytes: UnsafeRawBufferPointer, bitWidth: Int, count: Int) {
    self.bytes = bytes
    self.bitWidth = bitWidth
    left = count
  }

  /// The next run, cut to `room` values; nil when all values have come, when the bytes end, or when `room` is too small.
  ///
  /// Packed runs are cut at multiples of eight values, where a byte starts.
  mutating func next(room: Int = .max) throws(ParquetError) -> Run? {
    let pending = rest.take()
    guard let run = pending == nil ? try nextWhole() : pending else { return nil }
    switch run {
    case .repeated(let value, let count):
      guard count > room else { return run }
      rest = .repeated(value: value, count: count - room)
      return room > 0 ? .repeated(value: value, count: room) : nil
    case .packed(let offset, let count):
      guard count > room else { return run }
      let cut = room & ~7
      rest = .packed(byteOffset: offset + (cut >> 3) * bitWidth, count: count - cut)
      return cut > 0 ? .packed(byteOffset: offset, count: cut) : nil
    }
  }

  private mutating func nextWhole() throws(ParquetError) -> Run? {
    while left > 0 && position < bytes.count {
      let head = try varint()
      if head & 1 == 1 {
        // A run of 2^31 groups would be longer than any page: the product cannot overflow.
        var count = min(left, Int(head >> 1) &* 8)
        guard count > 0 else { continue }
        // Some writers cut the padding of the last group, and readers may not know how many values are wanted.
        count = min(count, (bytes.count - position) &* 8 / bitWidth)
        guard count > 0 else { throw ended(missing: left) }
        let start = position
        position += min(Int(head >> 1) &* bitWidth, bytes.count - position)
        left -= count
        return .packed(byteOffset: start, count: count)
      }
      let byteCount = (bitWidth + 7) >> 3
      guard byteCount <= bytes.count - position else { throw ended(missing: left) }
      var value: UInt32 = 0
      for index in 0..<byteCount { value |= UInt32(bytes[position + index]) << UInt32(index * 8) }
      guard bitWidth == 32 || value >> UInt32(bitWidth) == 0 else {
        throw .malformed("a run repeats \(value), which has more than \(bitWidth) bits")
      }
      position += byteCount
      let count = min(left, Int(head >> 1))
      guard count > 0 else { continue }
      left -= count
      return .repeated(value: value, count: count)
    }
    return nil
  }

  private mutating func varint() throws(ParquetError) -> UInt32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while true {
      guard position < bytes.count else { throw ended(missing: left) }
      let next = bytes[position]
      position += 1
      guard shift < 28 || (shift == 28 && next < 16) else { throw .malformed("a run's length has more than 32 bits") }
      value |= UInt32(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  private func ended(missing: Int) -> ParquetError {
    .malformed("its runs end after \(bytes.count) bytes, \(missing) values are missing")
  }

  /// Decodes all values into `target`, which has room for them.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, bitWidth: Int, count: Int, into target: UnsafeMutablePointer<UInt32>
  ) throws(ParquetError) {
    // A dictionary of one entry may come without any run.
    if bitWidth == 0 { return target.update(repeating: 0, count: count) }
    var runs = HybridRuns(bytes, bitWidth: bitWidth, count: count)
    var written = 0
    while let run = try runs.next() {
      switch run {
      case .repeated(let value, let count):
        (target + written).update(repeating: value, count: count)
        written += count
      case .packed(let offset, let count):
        // SAFETY: a packed run has bytes, so the buffer has an address; the caller grants the slack.
        BitUnpack.unpack(bytes.baseAddress! + offset, bitWidth: bitWidth, count: count, into: target + written)
        written += count
      }
    }
    guard written == count else { throw .malformed("its runs end after \(bytes.count) bytes, \(count - written) values are missing") }
  }
}

/// Decodes runs block by block, so that what follows works within the cache.
struct HybridCursor {
  private var runs: HybridRuns
  private let bytes: UnsafeRawBufferPointer
  private let bitWidth: Int
  private let block: Buffer
  private var start = 0
  private var end = 0
  private var left: Int
  /// Every value must lie below it.
  private let limit: UInt32
  /// What the values are, for messages: "dictionary entry".
  private let subject: String

  /// 4 KiB of values: an eighth of the first-level cache, and a multiple of the eight values that packed runs are cut at.
  static let blockCount = 1024

  /// - Parameters:
  ///   - bytes: followed by the slack of `BitUnpack`, and kept by the caller.
  ///   - count: the most values there can be.
  ///   - limit: values must be smaller.
  init(_ bytes: UnsafeRawBufferPointer, bitWidth: Int, count: Int, limit: Int, subject: String) {
    self.subject = subject
    self.bytes = bytes
    self.bitWidth = bitWidth
    self.limit = UInt32(clamping: limit)
    left = count
    runs = HybridRuns(bytes, bitWidth: bitWidth, count: count)
    block = Buffer(byteCapacity: Self.blockCount * 4)
  }

  /// Values that are already unpacked, for the deprecated packing. - Precondition: at most `countMax` of them fit a buffer.
  init(unpacked values: Buffer, count: Int) {
    bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    bitWidth = 0
    subject = "level"
    limit = .max
    left = 0
    runs = HybridRuns(bytes, bitWidth: 0, count: 0)
    block = values
    end = count
  }

  /// The next values, at least one and as many as are unpacked; valid until the next call.
  mutating func peek() throws(ParquetError) -> UnsafeBufferPointer<UInt32> {
    if start == end { try fill() }
    return UnsafeBufferPointer(start: block.pointer.assumingMemoryBound(to: UInt32.self) + start, count: end - start)
  }

  /// - Precondition: as many were peeked at.
  mutating func advance(_ count: Int) { start += count }

  private mutating func fill() throws(ParquetError) {
    let target = block.pointer.assumingMemoryBound(to: UInt32.self)
    start = 0
    end = 0
    guard left > 0 else { throw ended }
    if bitWidth == 0 {
      // A dictionary of one entry may come without any run.
      end = min(left, Self.blockCount)
      target.update(repeating: 0, count: end)
    } else {
      while end < Self.blockCount, let run = try runs.next(room: Self.blockCount - end) {
        switch run {
        case .repeated(let value, let count):
          (target + end).update(repeating: value, count: count)
          end += count
        case .packed(let offset, let count):
          // SAFETY: a packed run has bytes, so the buffer has an address; the caller grants the slack.
          BitUnpack.unpack(bytes.baseAddress! + offset, bitWidth: bitWidth, count: count, into: target + end)
          end += count
        }
      }
    }
    guard end > 0 else { throw ended }
    left -= end
    var greatest: UInt32 = 0
    for index in 0..<end { greatest = max(greatest, target[index]) }
    guard greatest < limit else { throw .malformed("it refers to \(subject) \(greatest), there are \(limit)") }
  }

  private var ended: ParquetError { .malformed("its runs end after \(bytes.count) bytes, a \(subject) is missing") }
}
