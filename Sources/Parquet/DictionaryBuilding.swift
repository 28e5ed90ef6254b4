import Columns

/// The distinct values of a column in order of appearance, and each value's number among them.
struct DictionaryPlan {
  let indices: BufferSlice
  /// Where each distinct value first appears among the dense values.
  let entries: [UInt32]
  /// How often a value differs from the one before it.
  let changeCount: Int

  /// One bit at least: not every reader knows indices without bits.
  var bitWidth: Int { entries.count <= 2 ? 1 : BitPack.bitWidth(UInt32(entries.count - 1)) }
  var base: UnsafePointer<UInt32> { indices.start.assumingMemoryBound(to: UInt32.self) }

  /// About the bytes of all indices: runs where values repeat, else packed bits.
  func indexByteCount(_ count: Int) -> Int { min(count * bitWidth / 8, changeCount * (2 + (bitWidth + 7) / 8)) }
}

enum DictionaryBuilding {
  /// Indices of 16 bits at most; more entries would not stay in the cache of a reader either.
  static let entryCountMax = 1 << 16
  /// How often the number of distinct values is looked at.
  private static let checkCount = 1 << 12
  /// When it is first looked at.
  private static let checkCountMin = 1 << 14

  /// Nil when too few values repeat, unless a dictionary is wanted whatever it costs (`isForced`), and when there are no values.
  static func words<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<Word>, count: Int, isForced: Bool = false
  ) -> DictionaryPlan? {
    let limit = isForced ? count : min(count, entryCountMax)
    let buffer = Buffer(byteCapacity: limit * MemoryLayout<Word>.stride)
    // SAFETY: there are at most `limit` entries. Side by side they stay in the cache, where their first places would not.
    let distinct = buffer.pointer.assumingMemoryBound(to: Word.self)
    defer { _fixLifetime(buffer) }
    return build(
      count, isForced,
      hash: { index in
        let value = values[index]
        let low = UInt64(truncatingIfNeeded: value)
        let folded = Word.bitWidth > 64 ? low ^ UInt64(truncatingIfNeeded: value >> 64) &* 0xC2B2_AE3D_27D4_EB4F : low
        return (folded ^ folded >> 32) &* 0x9E37_79B9_7F4A_7C15
      },
      isEqual: { values[$0] == values[$1] },
      isEntry: { _, entry, index in distinct[entry] == values[index] },
      add: { distinct[$0] = values[$1] })
  }

  static func bytes(_ column: DenseColumn, isForced: Bool = false) -> DictionaryPlan? {
    build(
      column.count, isForced, hash: { hash(column.value($0)) },
      isEqual: { isEqual(column.value($0), column.value($1)) },
      isEntry: { first, _, index in isEqual(column.value(first), column.value(index)) },
      add: { _, _ in })
  }

  @inline(__always) private static func isEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count, let x = a.baseAddress, let y = b.baseAddress else { return a.count == b.count }
    if a.count >= 8 {
      var index = 0
      while index &+ 8 <= a.count {
        let word = x.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        if word != y.loadUnaligned(fromByteOffset: index, as: UInt64.self) { return false }
        index &+= 8
      }
      let last = a.count &- 8
      return x.loadUnaligned(fromByteOffset: last, as: UInt64.self) == y.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    }
    for index in 0..<a.count where x.load(fromByteOffset: index, as: UInt8.self) != y.load(fromByteOffset: index, as: UInt8.self) {
      return false
    }
    return true
  }

  @inline(__always) private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let start = bytes.baseAddress else { return 0 }
    let count = bytes.count
    var state = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    if count >= 8 {
      var index = 0
      while index &+ 8 < count {
        state = mix(state ^ start.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        index &+= 8
      }
      return mix(state ^ start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
    }
    var word: UInt64 = 0
    if count >= 4 {
      word = UInt64(start.loadUnaligned(as: UInt32.self)) | UInt64(start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)) &<< 32
    } else {
      for index in 0..<count { word = word &<< 8 | UInt64(start.load(fromByteOffset: index, as: UInt8.self)) }
    }
    return mix(state ^ word)
  }

  @inline(__always) private static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low &* 0x9E37_79B9_7F4A_7C15
  }

  /// - Parameters:
  ///   - isEqual: whether two values are equal.
  ///   - isEntry: whether an entry, given by the place where it first appears and by its number, equals a value.
  ///   - add: takes note of the number and the place of a new entry.
  @inline(__always) private static func build(
    _ count: Int, _ isForced: Bool, hash: (Int) -> UInt64, isEqual: (Int, Int) -> Bool, isEntry: (Int, Int, Int) -> Bool,
    add: (Int, Int) -> Void
  ) -> DictionaryPlan? {
    guard count > 0, count <= Int(Int32.max) else { return nil }
    // At most half full, so that probes stay short.
    let entryCountMax = isForced ? count : entryCountMax
    let tableBits = max(1, BitPack.bitWidth(UInt(2 * min(count, entryCountMax) - 1)))
    let table = Buffer(byteCapacity: 4 << tableBits, zeroed: true)
    // SAFETY: the table has 2^tableBits slots, the mask keeps to them; indices has room for every value, entries for as many
    // as there may be.
    let slots = table.pointer.assumingMemoryBound(to: UInt32.self)
    let mask = 1 << tableBits - 1
    let buffer = Buffer(byteCapacity: count * 4)
    let indices = buffer.pointer.assumingMemoryBound(to: UInt32.self)
    let firstPlaces = Buffer(byteCapacity: min(count, entryCountMax) * 4)
    let entries = firstPlaces.pointer.assumingMemoryBound(to: UInt32.self)
    var entryCount = 1
    entries[0] = 0
    var changeCount = 1
    indices[0] = 0
    add(0, 0)
    slots[Int(truncatingIfNeeded: hash(0) >> UInt64(64 - tableBits))] = 1
    for index in 1..<max(1, count) {
      if isEqual(index, index &- 1) {
        indices[index] = indices[index &- 1]
        continue
      }
      changeCount &+= 1
      var slot = Int(truncatingIfNeeded: hash(index) >> UInt64(64 - tableBits))
      while true {
        let found = slots[slot]
        if found == 0 {
          guard entryCount < entryCountMax else { return nil }
          add(entryCount, index)
          entries[entryCount] = UInt32(truncatingIfNeeded: index)
          indices[index] = UInt32(truncatingIfNeeded: entryCount)
          entryCount &+= 1
          slots[slot] = UInt32(truncatingIfNeeded: entryCount)
          break
        }
        if isEntry(Int(entries[Int(found) &- 1]), Int(found) &- 1, index) {
          indices[index] = found &- 1
          break
        }
        slot = (slot &+ 1) & mask
      }
      // Nearly all distinct so far: then there are more distinct values than a dictionary may have.
      if !isForced && index >= checkCountMin && index % checkCount == 0 && entryCount > index - index / 16 { return nil }
    }
    defer {
      _fixLifetime(table)
      _fixLifetime(firstPlaces)
    }
    return DictionaryPlan(
      indices: BufferSlice(buffer, byteCount: count * 4), entries: Array(UnsafeBufferPointer(start: entries, count: entryCount)),
      changeCount: changeCount)
  }
}
