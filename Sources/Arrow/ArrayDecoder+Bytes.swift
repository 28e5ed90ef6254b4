import Columns

extension ArrayDecoder {
  /// Strings and binary values between offsets.
  func bytes(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?, isText: Bool, isLarge: Bool) throws(ArrowError) -> Column {
    let data = array.buffers[2]
    let ends = try offsets(array, isLarge: isLarge, within: data.byteCount)
    let column = Column(type: field.type, count: array.count, validity: validity, data: data, offsets: ends)
    if isText { try checkText(column) }
    return column
  }

  /// The `count + 1` offsets from the array's own offset on as `Int64`, checked to ascend and to lie in `0...limit`.
  func offsets(_ array: ArrayData, isLarge: Bool, within limit: Int) throws(ArrowError) -> BufferSlice {
    let source = array.buffers[1]
    let byteWidth = isLarge ? 8 : 4
    if array.count == 0 && source.byteCount < (array.offset + 1) * byteWidth {
      // Arrow allows arrays without values to leave the offsets out.
      return BufferSlice(Buffer(byteCapacity: 8, zeroed: true), byteCount: 8)
    }
    let wanted = (array.offset + array.count + 1) * byteWidth
    guard source.byteCount >= wanted else {
      throw .malformed("\(array.offset + array.count + 1) offsets need \(wanted) bytes, found \(source.byteCount)")
    }
    let slice = source.slice(byteOffset: array.offset * byteWidth, byteCount: (array.count + 1) * byteWidth)
    let isGood: Bool
    let result: BufferSlice
    if isLarge {
      result = slice.aligned(to: 8)
      isGood = Self.areAscending(result, count: array.count, limit: limit)
    } else {
      (result, isGood) = Self.widened(slice, count: array.count, limit: limit)
    }
    guard isGood else { throw .malformed("the offsets do not ascend from 0 to at most \(limit)") }
    return result
  }

  private static func areAscending(_ slice: BufferSlice, count: Int, limit: Int) -> Bool {
    let ends = Values<Int64>(slice, count: count + 1)
    return ends.withPointer { ends in
      // The sign of every difference is collected: the loop has no branch. Wrong differences that wrap are caught, for
      // the first is at least 0, and a step that wraps downward is negative.
      var signs: Int64 = ends[0]
      for index in 0..<count { signs |= ends[index &+ 1] &- ends[index] | ends[index &+ 1] }
      return signs >= 0 && ends[count] <= Int64(limit)
    }
  }

  private static func widened(_ slice: BufferSlice, count: Int, limit: Int) -> (BufferSlice, isGood: Bool) {
    let buffer = Buffer(byteCapacity: (count + 1) * 8)
    defer { _fixLifetime(slice.owner) }
    // SAFETY: the buffer holds count + 1 offsets of 64 bits, the slice as many of 32.
    let target = buffer.pointer.assumingMemoryBound(to: Int64.self)
    var previous: Int64 = 0
    var signs: Int64 = 0
    for index in 0...count {
      let end = Int64(slice.start.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self))
      signs |= end &- previous
      target[index] = end
      previous = end
    }
    return (BufferSlice(buffer, byteCount: (count + 1) * 8), signs >= 0 && previous <= Int64(limit))
  }

  /// Checks that each string is valid UTF-8: all bytes at once, then, only if that fails, value by value, for bytes
  /// under nulls may be anything.
  func checkText(_ column: Column) throws(ArrowError) {
    let values = column.bytes
    guard column.count > 0 else { return }
    let (first, last) = (Int(values.offsets[0]), Int(values.offsets[column.count]))
    let isWhole = column.data.slice(byteOffset: first, byteCount: last - first).withBytes { bytes in
      if Self.isASCII(bytes) { return true }
      guard UTF8Check.isValid(bytes) else { return false }
      // Well-formed as a whole, each value is if none begins within a character.
      return values.offsets.withPointer { Self.areBoundaries($0, count: column.count, bytes) }
    }
    guard !isWhole else { return }
    for row in 0..<column.count where column.isValid(row) {
      guard UTF8Check.isValid(values[row]) else { throw .malformed("the string in row \(row) is not valid UTF-8") }
    }
  }

  /// Whether no value but perhaps an empty one at the end begins with a continuation byte.
  /// - Parameter bytes: those from the first offset to the last.
  private static func areBoundaries(_ offsets: UnsafePointer<Int64>, count: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let first = offsets[0]
    let byteCount = Int64(bytes.count)
    var wrongCount = 0
    for row in 0..<count {
      let place = offsets[row] &- first
      // SAFETY: offsets ascend from the first to the last; the last place itself holds no byte.
      if place < byteCount, start.load(fromByteOffset: Int(place), as: UInt8.self) & 0xC0 == 0x80 { wrongCount &+= 1 }
    }
    return wrongCount == 0
  }

  private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    var index = 0
    // 256 bytes a step without a branch in between; SAFETY: loads end at or before `count`.
    while index &+ 256 <= bytes.count {
      var bits = SIMD8<UInt64>()
      for place in 0..<4 { bits |= start.loadUnaligned(fromByteOffset: index &+ place &* 64, as: SIMD8<UInt64>.self) }
      let half = bits.lowHalf | bits.highHalf
      let quarter = half.lowHalf | half.highHalf
      guard (quarter[0] | quarter[1]) & 0x8080_8080_8080_8080 == 0 else { return false }
      index &+= 256
    }
    while index < bytes.count {
      guard start.load(fromByteOffset: index, as: UInt8.self) < 0x80 else { return false }
      index &+= 1
    }
    return true
  }

  /// Values of at most 12 bytes within their view, longer ones as (prefix, buffer, offset).
  func views(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?, isText: Bool) throws(ArrowError) -> Column {
    let source = array.buffers[1]
    let wanted = (array.offset + array.count) * 16
    guard source.byteCount >= wanted else {
      throw .malformed("\(array.offset + array.count) views need \(wanted) bytes, found \(source.byteCount)")
    }
    let pools = array.buffers.dropFirst(2).map { $0 }
    let ends = Buffer(byteCapacity: (array.count + 1) * 8)
    defer { withExtendedLifetime((source.owner, pools)) {} }
    // SAFETY: the views were counted above; each reference into a pool is checked before its bytes are copied.
    let views = source.start + array.offset * 16
    let target = ends.pointer.assumingMemoryBound(to: Int64.self)
    target[0] = 0
    for row in 0..<array.count {
      var length = 0
      if validity.map({ $0[row] }) ?? true {
        length = Int(views.loadUnaligned(fromByteOffset: row * 16, as: Int32.self))
        guard length >= 0 else { throw .malformed("the view in row \(row) has length \(length)") }
        if length > 12 {
          let pool = Int(views.loadUnaligned(fromByteOffset: row * 16 + 8, as: Int32.self))
          let start = Int(views.loadUnaligned(fromByteOffset: row * 16 + 12, as: Int32.self))
          guard pool >= 0, pool < pools.count, start >= 0, start + length <= pools[pool].byteCount else {
            throw .malformed("the view in row \(row), \(length) bytes at byte \(start) of buffer \(pool), lies outside the data")
          }
        }
      }
      target[row + 1] = target[row] + Int64(length)
    }
    let total = Int(target[array.count])
    try checkExpanded(byteCount: total)
    let data = Buffer(byteCapacity: total)
    for row in 0..<array.count {
      let length = Int(target[row + 1] - target[row])
      guard length > 0 else { continue }
      let view = views + row * 16
      let start =
        length <= 12
        ? view + 4
        : pools[Int(view.loadUnaligned(fromByteOffset: 8, as: Int32.self))].start
          + Int(view.loadUnaligned(fromByteOffset: 12, as: Int32.self))
      (data.pointer + Int(target[row])).copyMemory(from: start, byteCount: length)
    }
    let column = Column(
      type: field.type, count: array.count, validity: validity, data: BufferSlice(data, byteCount: total),
      offsets: BufferSlice(ends, byteCount: (array.count + 1) * 8))
    if isText { try checkText(column) }
    return column
  }
}
