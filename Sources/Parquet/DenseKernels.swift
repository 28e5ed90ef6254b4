import Columns

/// Takes the values of columns without their nulls.
///
/// Sixty-four rows at a time by their validity: all valid are copied, none valid skipped, and of mixed ones each is stored and
/// the next goes on top of it if it was null, because nulls cannot be predicted.
enum DenseKernels {
  @inline(__always) static func compact(
    _ rowCount: Int, _ validity: Bitmap, _ written: Int, store: (_ target: Int, _ row: Int) -> Void
  ) -> Int {
    var written = written
    var row = 0
    while row < rowCount {
      let count = min(64, rowCount &- row)
      let word = validity.word(at: row)
      if word == .max {
        for place in 0..<64 { store(written &+ place, row &+ place) }
        written &+= 64
      } else if word != 0 {
        for place in 0..<count {
          store(written, row &+ place)
          written &+= Int(truncatingIfNeeded: word &>> UInt64(truncatingIfNeeded: place) & 1)
        }
      }
      row &+= 64
    }
    return written
  }

  /// - Parameter count: the valid values of all parts.
  @inline(__always) static func words<Element: BitwiseCopyable, Word: FixedWidthInteger & BitwiseCopyable>(
    _ parts: [Column], _ count: Int, _: Element.Type, _ convert: (Element) -> Word
  ) -> BufferSlice {
    // SAFETY: the buffer has room for every valid value, and slack for one null behind the last.
    let buffer = Buffer(byteCapacity: count * MemoryLayout<Word>.stride)
    let target = buffer.pointer.assumingMemoryBound(to: Word.self)
    var written = 0
    for part in parts {
      part.values(Element.self).withPointer { source in
        if let validity = part.validity {
          written = compact(part.count, validity, written) { target[$0] = convert(source[$1]) }
        } else {
          for row in 0..<part.count { target[written &+ row] = convert(source[row]) }
          written &+= part.count
        }
      }
    }
    return BufferSlice(buffer, byteCount: count * MemoryLayout<Word>.stride)
  }

  /// Values that are stored as they are; shared when one part has no nulls.
  static func same<Word: FixedWidthInteger & BitwiseCopyable>(_ parts: [Column], _ count: Int, _: Word.Type) -> BufferSlice {
    if parts.count == 1 && parts[0].nullCount == 0 { return parts[0].data }
    return words(parts, count, Word.self) { $0 }
  }

  static func bools(_ parts: [Column], count: Int) -> BufferSlice {
    let buffer = Buffer(byteCapacity: count)
    let target = buffer.pointer.assumingMemoryBound(to: UInt8.self)
    var written = 0
    for part in parts {
      let bits = part.bits
      let validity = part.validity
      var row = 0
      while row < part.count {
        let word = bits.word(at: row)
        let valid = validity?.word(at: row) ?? .max
        for place in 0..<min(64, part.count - row) {
          let shift = UInt64(truncatingIfNeeded: place)
          target[written] = UInt8(truncatingIfNeeded: word &>> shift & 1)
          written &+= Int(truncatingIfNeeded: valid &>> shift & 1)
        }
        row += 64
      }
    }
    return BufferSlice(buffer, byteCount: count)
  }

  static func fixed(_ parts: [Column], count: Int, byteWidth: Int) -> BufferSlice {
    if parts.count == 1 && parts[0].nullCount == 0 { return parts[0].data }
    let buffer = Buffer(byteCapacity: count * byteWidth)
    var written = 0
    for part in parts {
      part.data.withBytes { source in
        guard let start = source.baseAddress else { return }
        if part.nullCount == 0 {
          (buffer.pointer + written * byteWidth).copyMemory(from: start, byteCount: part.count * byteWidth)
          written += part.count
          return
        }
        for row in 0..<part.count where part.isValid(row) {
          (buffer.pointer + written * byteWidth).copyMemory(from: start + row * byteWidth, byteCount: byteWidth)
          written += 1
        }
      }
    }
    return BufferSlice(buffer, byteCount: count * byteWidth)
  }

  // MARK: Strings

  /// The ends and bytes of all valid values; the bytes of a single part are shared unless some lie under nulls.
  static func bytes(_ parts: [Column], count: Int) -> (Values<Int64>, BufferSlice) {
    if parts.count == 1 && parts[0].nullCount == 0 { return (parts[0].bytes.offsets, parts[0].bytes.data) }
    let buffer = Buffer(byteCapacity: (count + 1) * 8)
    let ends = buffer.pointer.assumingMemoryBound(to: Int64.self)
    let slice = BufferSlice(buffer, byteCount: (count + 1) * 8)
    if parts.count == 1, spreadsNoBytes(parts[0]) {
      ends[0] = parts[0].bytes.offsets[0]
      _ = compactEnds(parts[0], shift: 0, ends, 0)
      return (Values(slice, count: count + 1), parts[0].bytes.data)
    }
    var bytes = ByteSink(byteCapacity: parts.reduce(0) { $0 + Int($1.bytes.offsets[$1.count] - $1.bytes.offsets[0]) })
    var written = 0
    ends[0] = 0
    for part in parts {
      let values = part.bytes
      if spreadsNoBytes(part) {
        let start = values.offsets[0]
        written = compactEnds(part, shift: Int64(bytes.count) - start, ends, written)
        bytes.append(UnsafeRawBufferPointer(start: values.data.start + Int(start), count: Int(values.offsets[part.count] - start)))
        _fixLifetime(values.data.owner)
        continue
      }
      for row in 0..<part.count where part.isValid(row) {
        bytes.append(values[row])
        written += 1
        ends[written] = Int64(bytes.count)
      }
    }
    return (Values(slice, count: count + 1), bytes.finish())
  }

  /// Whether no bytes lie under nulls.
  private static func spreadsNoBytes(_ part: Column) -> Bool {
    guard let validity = part.validity else { return true }
    return part.bytes.offsets.withPointer { offsets in
      var row = 0
      var stray: Int64 = 0
      while row < part.count {
        var nulls = ~validity.word(at: row)
        if part.count - row < 64 { nulls &= (1 << UInt64(part.count - row)) - 1 }
        while nulls != 0 {
          let index = row &+ nulls.trailingZeroBitCount
          stray |= offsets[index &+ 1] &- offsets[index]
          nulls &= nulls &- 1
        }
        row += 64
      }
      return stray == 0
    }
  }

  private static func compactEnds(_ part: Column, shift: Int64, _ ends: UnsafeMutablePointer<Int64>, _ written: Int) -> Int {
    part.bytes.offsets.withPointer { offsets in
      guard let validity = part.validity else {
        for row in 0..<part.count { ends[written &+ row &+ 1] = offsets[row &+ 1] &+ shift }
        return written + part.count
      }
      return compact(part.count, validity, written) { ends[$0 &+ 1] = offsets[$1 &+ 1] &+ shift }
    }
  }
}
