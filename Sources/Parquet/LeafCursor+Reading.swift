import Columns

/// How much memory reading may take.
package struct ParquetLimits: Hashable, Sendable {
  /// The bytes that the values of one column may take at once, however small the file; larger files may have a
  /// kibibyte for each of theirs.
  package var expandedByteCountMax: Int

  /// Four GiB: one column may hold more than 2^31 bytes of strings that compress to nothing.
  package init(expandedByteCountMax: Int = 4 << 30) { self.expandedByteCountMax = expandedByteCountMax }

  func byteCountMax(fileByteCount: Int) -> Int { expandedByteCountMax + min(fileByteCount, 1 << 40) * 1024 }
}

extension LeafCursor {
  private func within(_ error: ParquetError) -> ParquetError {
    page.map { error.within("page \($0.number) at byte \($0.offset)") } ?? error
  }

  /// The next rows of a flat column.
  /// - Parameters:
  ///   - rowCountMax: how many rows are wanted.
  ///   - byteCountTarget: strings may stop short of the wanted rows once they take so many bytes; one row comes at least.
  func readFlat(rowCountMax: Int, byteCountTarget: Int = .max) throws(ParquetError) -> LeafRows {
    let capacity = min(rowCountMax, rowsLeft)
    try checkSize(rowCount: capacity)
    let share = rowsLeft > 0 ? Double(capacity) / Double(rowsLeft) : 0
    var rows = LeafAccumulator(
      shape, capacity: capacity,
      byteCapacity: min(Int(Double(compressedByteCount) * 2 * share), 1 << 26, byteCountTarget),
      byteCountMax: limits.byteCountMax(fileByteCount: pages.end))
    while rows.count < capacity {
      if (page?.entriesLeft ?? 0) == 0 { try openPage() }
      guard page != nil else { break }
      var step = min(capacity - rows.count, page!.entriesLeft)
      if byteCountTarget != .max, shape.conversion == .bytes {
        guard rows.byteCount < byteCountTarget else { break }
        step = min(step, page!.values.count(ofByteCount: byteCountTarget - rows.byteCount, dictionary: dictionary))
      }
      do { try readFlat(step, into: &rows) } catch { throw within(error) }
    }
    rowsLeft -= rows.count
    let count = rows.count
    return LeafRows(column: rows.finish(), rowCount: count, definitions: .empty, repetitions: .empty, entryCount: 0)
  }

  private func readFlat(_ count: Int, into rows: inout LeafAccumulator) throws(ParquetError) {
    var valueCount = count
    if shape.levels.definition > 0 {
      valueCount = rows.append(validity: page!.validity, from: page!.row, count: count)
    } else {
      rows.append(valid: true, count: count)
    }
    try rows.append(&page!.values, valueCount: valueCount, rowCount: count, dictionary, scratch: &scratch)
    page!.row += count
    page!.entriesLeft -= count
  }

  /// Passes over rows; pages of nothing else are not decompressed.
  func skip(rowCount: Int) throws(ParquetError) {
    var left = rowCount
    while left > 0 {
      if (page?.entriesLeft ?? 0) == 0, let next = try nextDataPage() {
        let pageRowCount = shape.levels.repetition == 0 ? next.header.valueCount : next.header.rowCount
        if let pageRowCount, pageRowCount <= left {
          pass(next, rowCount: pageRowCount)
          left -= pageRowCount
          continue
        }
      }
      let step = min(left, 1 << 16)
      left -= shape.isFlat ? try readFlat(rowCountMax: step).rowCount : try readNested(rowCount: step).rowCount
    }
  }

  /// The next rows of a column in lists or structures.
  func readNested(rowCount: Int) throws(ParquetError) -> LeafRows {
    let wanted = min(rowCount, rowsLeft)
    try checkSize(rowCount: wanted)
    var rows = LeafAccumulator(
      shape, capacity: wanted, byteCapacity: min(compressedByteCount * 2, 1 << 20),
      byteCountMax: limits.byteCountMax(fileByteCount: pages.end))
    var levels = (definitions: GrowableBuffer(byteCapacity: wanted), repetitions: GrowableBuffer())
    var started = 0
    while true {
      if (page?.entriesLeft ?? 0) == 0 {
        guard hasMorePages else { break }
        try openPage()
      }
      do {
        guard try readEntries(&started, of: wanted, into: &rows, &levels) else { break }
      } catch {
        throw within(error)
      }
    }
    guard started == wanted else { throw .malformed("its pages hold \(started) rows of \(wanted) that were expected") }
    rowsLeft -= wanted
    if rowsLeft == 0, (page?.entriesLeft ?? 0) > 0 || hasMorePages {
      throw within(.malformed("its pages hold more rows than its row group"))
    }
    let entryCount = levels.definitions.byteCount
    return LeafRows(
      column: rows.finish(), rowCount: wanted, definitions: levels.definitions.finish(), repetitions: levels.repetitions.finish(),
      entryCount: entryCount)
  }

  /// Takes entries of the open page as far as they belong to the wanted rows.
  /// - Parameter started: the rows whose first entry has been taken.
  /// - Returns: false when the next entry starts a row that is not wanted.
  private func readEntries(
    _ started: inout Int, of wanted: Int, into rows: inout LeafAccumulator,
    _ levels: inout (definitions: GrowableBuffer, repetitions: GrowableBuffer)
  ) throws(ParquetError) -> Bool {
    let repeated = try page!.repetitions?.peek()
    let defined = try page!.definitions?.peek()
    let available = min(page!.entriesLeft, HybridCursor.blockCount, repeated?.count ?? .max, defined?.count ?? .max)
    let taken = try take(available, repeated, &started, of: wanted)
    rows.reserve(taken)
    if let repeated { append(repeated, taken, to: &levels.repetitions) }
    let (valueCount, slotCount) = note(defined, taken, in: &rows)
    if let defined {
      append(defined, taken, to: &levels.definitions)
    } else {
      for _ in 0..<taken { levels.definitions.append(UInt8(0)) }
    }
    try rows.append(&page!.values, valueCount: valueCount, rowCount: slotCount, dictionary, scratch: &scratch)
    page!.repetitions?.advance(taken)
    page!.definitions?.advance(taken)
    page!.entriesLeft -= taken
    return taken == available
  }

  /// How many of the next entries belong to the wanted rows.
  private func take(
    _ available: Int, _ repeated: UnsafeBufferPointer<UInt32>?, _ started: inout Int, of wanted: Int
  ) throws(ParquetError) -> Int {
    guard let repeated else {
      let taken = min(available, wanted - started)
      started += taken
      return taken
    }
    if started == 0, available > 0, repeated[0] != 0 { throw .malformed("its first entry continues a row, expected the start of one") }
    var startCount = 0
    for index in 0..<available { startCount &+= repeated[index] == 0 ? 1 : 0 }
    if startCount <= wanted - started {
      started += startCount
      return available
    }
    var taken = 0
    while true {
      if repeated[taken] == 0 {
        if started == wanted { return taken }
        started += 1
      }
      taken += 1
    }
  }

  /// Levels as one byte each.
  private func append(_ source: UnsafeBufferPointer<UInt32>, _ count: Int, to target: inout GrowableBuffer) {
    // SAFETY: a peeked block has at most as many levels as the scratch has bytes.
    let bytes = levelScratch.pointer.assumingMemoryBound(to: UInt8.self)
    precondition(count <= levelScratch.byteCapacity && count <= source.count)
    for index in 0..<count { bytes[index] = UInt8(truncatingIfNeeded: source[index]) }
    target.append(bytes: UnsafeRawBufferPointer(start: bytes, count: count))
  }

  /// Notes which entries are rows of the leaf, and which of these have a value; returns how many.
  private func note(
    _ defined: UnsafeBufferPointer<UInt32>?, _ count: Int, in rows: inout LeafAccumulator
  ) -> (valueCount: Int, slotCount: Int) {
    guard let defined else {
      rows.append(valid: true, count: count)
      return (count, count)
    }
    let (greatest, slot) = (UInt32(shape.levels.definition), UInt32(shape.levels.slot))
    // SAFETY: a peeked block has at most as many levels as the scratch has bits, and 8 bytes follow them.
    let words = levelScratch.pointer.assumingMemoryBound(to: UInt64.self)
    precondition(count <= levelScratch.byteCapacity && count <= defined.count)
    var (valueCount, slotCount) = (0, 0)
    var word: UInt64 = 0
    for index in 0..<count where defined[index] >= slot {
      let isValue: UInt64 = defined[index] == greatest ? 1 : 0
      word |= isValue &<< UInt64(slotCount & 63)
      valueCount &+= Int(isValue)
      slotCount &+= 1
      if slotCount & 63 == 0 {
        words[slotCount >> 6 - 1] = word
        word = 0
      }
    }
    if valueCount == slotCount {
      rows.append(valid: true, count: slotCount)
    } else {
      words[slotCount >> 6] = word
      rows.append(packed: UnsafeRawPointer(words), count: slotCount)
    }
    return (valueCount, slotCount)
  }
}
