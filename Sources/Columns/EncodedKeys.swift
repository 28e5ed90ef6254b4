#if canImport(Glibc)
  import Glibc
#endif

/// The keys of many rows in one block of memory.
package struct EncodedKeys: Sendable {
  @usableFromInline let arena: BufferSlice
  /// Bytes of every key when all columns are of fixed width; 0 otherwise.
  @usableFromInline let stride: Int
  /// Where each key starts, and where the last one ends; empty when there is a stride.
  @usableFromInline let offsets: Values<Int>
  /// The number of keys.
  package let count: Int

  /// The key of a row, counted from the first encoded one; valid while these keys live. Unchecked in release builds.
  @inlinable package subscript(index: Int) -> UnsafeRawBufferPointer {
    assert(index >= 0 && index < count)
    if stride > 0 { return UnsafeRawBufferPointer(start: arena.start + index &* stride, count: stride) }
    let start = offsets.base[index]
    return UnsafeRawBufferPointer(start: arena.start + start, count: offsets.base[index &+ 1] &- start)
  }

  /// A copy of the key of a row.
  package func array(at index: Int) -> [UInt8] {
    precondition(index >= 0 && index < count, "There are \(count) keys, not \(index + 1)")
    defer { _fixLifetime(self) }
    return Array(self[index])
  }

  package var byteCount: Int { arena.byteCount }
}

extension KeyEncoder {
  /// The keys of a range of rows, in order; key 0 is that of `rows.lowerBound`.
  /// - Throws: `KeyError` for a null or a column that cannot be a key.
  /// - Complexity: O(bytes of the keys)
  package static func encodeAll(_ columns: [Column], rows: Range<Int>) throws(KeyError) -> EncodedKeys {
    var forms: [Form] = []
    for (index, column) in columns.enumerated() {
      precondition(rows.lowerBound >= 0 && rows.upperBound <= column.count, "The rows lie outside the column")
      forms.append(try form(column.type, column: index))
      if column.nullCount > 0, let row = rows.first(where: { !column.isValid($0) }) { throw .null(column: index, row: row) }
    }
    let readers = columns.map { KeyReader($0) }
    let fixedWidth = forms.reduce(0) { $0 + ($1.byteWidth ?? endByteCount) }
    let textColumns = forms.indices.filter { forms[$0].byteWidth == nil }
    guard !textColumns.isEmpty else { return encodeFixed(readers, forms, rows, stride: fixedWidth) }

    // Where each key starts.
    let starts = Buffer(byteCapacity: (rows.count + 1) * 8)
    // SAFETY: the buffers are ours alone and sized for rows.count keys before they are filled.
    let offsets = starts.pointer.bindMemory(to: Int.self, capacity: rows.count + 1)
    let hasZeros = textColumns.map { containsZero(readers[$0], rows) }
    offsets[0] = 0
    for index in 0..<rows.count { offsets[index &+ 1] = fixedWidth }
    for (place, column) in textColumns.enumerated() {
      let reader = readers[column]
      let ends = reader.offsets.unsafelyUnwrapped
      for index in 0..<rows.count {
        let row = rows.lowerBound &+ index
        offsets[index &+ 1] &+= Int(ends[row &+ 1] &- ends[row]) &+ (hasZeros[place] ? zeroCount(reader.text(row)) : 0)
      }
    }
    for index in 0..<rows.count { offsets[index &+ 1] &+= offsets[index] }
    let byteCount = offsets[rows.count]
    let arena = Buffer(byteCapacity: byteCount)
    let keys = EncodedKeys(
      arena: BufferSlice(arena, byteCount: byteCount), stride: 0,
      offsets: Values(BufferSlice(starts, byteCount: (rows.count + 1) * 8), count: rows.count + 1), count: rows.count)

    if textColumns.count == 1, !hasZeros[0] {
      writeAroundOneText(readers, forms, rows, text: textColumns[0], to: arena.pointer, offsets)
    } else {
      writeInTurn(readers, forms, rows, to: arena.pointer, offsets)
    }
    return keys
  }

  private static func encodeFixed(_ readers: [KeyReader], _ forms: [Form], _ rows: Range<Int>, stride: Int) -> EncodedKeys {
    let byteCount = rows.count * stride
    let arena = Buffer(byteCapacity: byteCount)
    var place = 0
    for (reader, form) in zip(readers, forms) {
      writeFixed(reader, form, rows, base: arena.pointer + place) { $0 &* stride }
      place += form.byteWidth ?? 0
    }
    return EncodedKeys(
      arena: BufferSlice(arena, byteCount: byteCount), stride: stride, offsets: Values(.empty, count: 0), count: rows.count)
  }

  @inline(__always) private static func writeFixed(
    _ reader: KeyReader, _ form: Form, _ rows: Range<Int>, base: UnsafeMutableRawPointer, position: (Int) -> Int
  ) {
    reader.withOrderedBits { bits in
      if form.byteWidth == 1 {
        for index in 0..<rows.count {
          let byte = UInt8(truncatingIfNeeded: bits(rows.lowerBound &+ index))
          base.storeBytes(of: byte, toByteOffset: position(index), as: UInt8.self)
        }
      } else {
        for index in 0..<rows.count {
          base.storeBytes(of: bits(rows.lowerBound &+ index).bigEndian, toByteOffset: position(index), as: UInt64.self)
        }
      }
    }
  }

  /// The string first, as vectors that may run into what follows; then the columns around it, which lie at fixed distances
  /// from the start or the end of their key.
  private static func writeAroundOneText(
    _ readers: [KeyReader], _ forms: [Form], _ rows: Range<Int>, text: Int, to arena: UnsafeMutableRawPointer,
    _ offsets: UnsafeMutablePointer<Int>
  ) {
    let before = forms[..<text].reduce(0) { $0 + ($1.byteWidth ?? 0) }
    let after = forms[(text + 1)...].reduce(0) { $0 + ($1.byteWidth ?? 0) }
    let reader = readers[text]
    let ends = reader.offsets.unsafelyUnwrapped
    let vectorStartMax = reader.column.data.byteCount - ShortCopy.byteCountMax
    for index in 0..<rows.count {
      let row = rows.lowerBound &+ index
      let start = Int(ends[row])
      let length = Int(ends[row &+ 1]) &- start
      let target = arena + (offsets[index] &+ before)
      if length > 0 { ShortCopy.copy(reader.base, start, to: target, byteCount: length, vectorStartMax: vectorStartMax) }
      target.storeBytes(of: 0, toByteOffset: length, as: UInt16.self)
    }
    var place = 0
    for column in 0..<text {
      writeFixed(readers[column], forms[column], rows, base: arena + place) { offsets[$0] }
      place += forms[column].byteWidth ?? 0
    }
    place = after
    for column in (text + 1)..<max(readers.count, text + 1) {
      writeFixed(readers[column], forms[column], rows, base: arena - place) { offsets[$0 &+ 1] }
      place -= forms[column].byteWidth ?? 0
    }
  }

  /// Row by row, column by column: strings with zero bytes, or several strings.
  private static func writeInTurn(
    _ readers: [KeyReader], _ forms: [Form], _ rows: Range<Int>, to arena: UnsafeMutableRawPointer,
    _ offsets: UnsafeMutablePointer<Int>
  ) {
    for index in 0..<rows.count {
      let row = rows.lowerBound &+ index
      var target = arena + offsets[index]
      for column in 0..<readers.count {
        let reader = readers[column]
        switch forms[column] {
        case .bool:
          target.storeBytes(of: UInt8(truncatingIfNeeded: reader.withOrderedBits { $0(row) }), as: UInt8.self)
          target += 1
        case .integer, .unsigned:
          target.storeBytes(of: reader.withOrderedBits { $0(row) }.bigEndian, as: UInt64.self)
          target += 8
        case .text:
          target = writeText(reader.text(row), to: target)
        }
      }
    }
  }

  private static func writeText(_ text: UnsafeRawBufferPointer, to start: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var target = start
    if let base = text.baseAddress, text.count > 0 {
      if memchr(base, 0, text.count) == nil {
        memcpy(target, base, text.count)
        target += text.count
      } else {
        for byte in text {
          target.storeBytes(of: byte, as: UInt8.self)
          target += 1
          if byte == 0 {
            target.storeBytes(of: escape, as: UInt8.self)
            target += 1
          }
        }
      }
    }
    target.storeBytes(of: 0, as: UInt16.self)
    return target + endByteCount
  }

  private static func zeroCount(_ text: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for byte in text where byte == 0 { count &+= 1 }
    return count
  }

  private static func containsZero(_ reader: KeyReader, _ rows: Range<Int>) -> Bool {
    let ends = reader.offsets.unsafelyUnwrapped
    let (start, end) = (Int(ends[rows.lowerBound]), Int(ends[rows.upperBound]))
    return end > start && memchr(reader.base + start, 0, end - start) != nil
  }
}
