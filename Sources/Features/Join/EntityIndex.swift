import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// Finds entities by their encoded keys: an open-addressing hash table over the whole keys, in memory or in a mapped file.
package struct EntityIndex: Sendable {
  /// A power of two of them: 0 for an empty one, else the high half of the key's hash above 1 + the entity's number.
  package let slots: Values<UInt64>
  package let slotCount: Int
  /// Where each key starts in `keyBytes`, and where the last one ends.
  package let keyOffsets: Values<UInt64>
  package let keyBytes: BufferSlice
  package let count: Int

  /// - Precondition: the parts fit together as `validate` checks.
  package init(slots: Values<UInt64>, slotCount: Int, keyOffsets: Values<UInt64>, keyBytes: BufferSlice, count: Int) {
    self.slots = slots
    self.slotCount = slotCount
    self.keyOffsets = keyOffsets
    self.keyBytes = keyBytes
    self.count = count
  }

  /// - Parameter keys: pairwise different, as many as entities.
  /// - Returns: the index, and the number of the first key that had come before, which makes the index useless.
  package static func build(_ keys: EncodedKeys) -> (index: EntityIndex, firstRepetition: Int?) {
    build(count: keys.count, byteCount: keys.byteCount) { keys[$0] }
  }

  /// - Parameters:
  ///   - byteCount: of all keys.
  ///   - keys: the key of each entity.
  package static func build(
    count: Int, byteCount: Int, keys: (Int) -> UnsafeRawBufferPointer
  ) -> (index: EntityIndex, firstRepetition: Int?) {
    precondition(count < Int(Int32.max), "Entities are numbered by 32 bits")
    let slotCount = slotCount(forEntityCount: count)
    let offsets = Buffer(byteCapacity: (count + 1) * 8)
    let slots = Buffer(byteCapacity: slotCount * 8, zeroed: true)
    let bytes = Buffer(byteCapacity: byteCount)
    // SAFETY: the three buffers have just been made for this many elements, and nobody else has seen them.
    let offset = offsets.pointer.bindMemory(to: UInt64.self, capacity: count + 1)
    let slot = slots.pointer.bindMemory(to: UInt64.self, capacity: slotCount)
    var position = 0
    var repetition: Int?
    for number in 0..<count {
      let key = keys(number)
      offset[number] = UInt64(position)
      precondition(position + key.count <= byteCount, "The keys are longer than claimed")
      if let base = key.baseAddress { memcpy(bytes.pointer + position, base, key.count) }
      position += key.count
      let hash = XXH3.hash64(key, seed: 0)
      var place = Int(truncatingIfNeeded: hash) & (slotCount - 1)
      while slot[place] != 0 {
        if slot[place] >> 32 == hash >> 32, same(keys(Int(slot[place] & 0xFFFF_FFFF) - 1), key) { repetition = repetition ?? number }
        place = (place + 1) & (slotCount - 1)
      }
      slot[place] = (hash & ~0xFFFF_FFFF) | UInt64(number + 1)
    }
    offset[count] = UInt64(position)
    let index = EntityIndex(
      slots: Values(BufferSlice(slots, byteCount: slotCount * 8), count: slotCount), slotCount: slotCount,
      keyOffsets: Values(BufferSlice(offsets, byteCount: (count + 1) * 8), count: count + 1),
      keyBytes: BufferSlice(bytes, byteCount: position), count: count)
    return (index, repetition)
  }

  /// At most half of the slots are taken.
  static func slotCount(forEntityCount count: Int) -> Int {
    var slots = 8
    while slots < count * 2 { slots *= 2 }
    return slots
  }

  /// The number of the entity with this key; nil when there is none. - Complexity: O(1) expected
  package func find(_ key: UnsafeRawBufferPointer) -> Int? {
    let found = find(key, hash: XXH3.hash64(key, seed: 0))
    return found < 0 ? nil : found
  }

  /// Of every key its entity, -1 where there is none.
  package func findAll(_ keys: EncodedKeys) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: keys.count) { target, written in
      for index in 0..<keys.count {
        let key = keys[index]
        target[index] = Int32(truncatingIfNeeded: find(key, hash: XXH3.hash64(key, seed: 0)))
      }
      written = keys.count
    }
  }

  @inline(__always) private func find(_ key: UnsafeRawBufferPointer, hash: UInt64) -> Int {
    var place = Int(truncatingIfNeeded: hash) & (slotCount - 1)
    // SAFETY: places are masked by the slot count; numbers and offsets were made by `build` or checked by `damage`.
    return slots.withPointer { slots in
      while slots[place] != 0 {
        if slots[place] &>> 32 == hash &>> 32 {
          let number = Int(slots[place] & 0xFFFF_FFFF) &- 1
          if Self.same(self.key(number), key) { return number }
        }
        place = (place &+ 1) & (slotCount &- 1)
      }
      return -1
    }
  }

  /// The key of an entity; valid while this index lives.
  @inline(__always) package func key(_ number: Int) -> UnsafeRawBufferPointer {
    let start = Int(keyOffsets.base[number])
    return UnsafeRawBufferPointer(start: keyBytes.start + start, count: Int(keyOffsets.base[number &+ 1]) &- start)
  }

  @inline(__always) private static func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    if a.count == 8 { return a.loadUnaligned(as: UInt64.self) == b.loadUnaligned(as: UInt64.self) }
    guard let x = a.baseAddress, let y = b.baseAddress else { return true }
    return memcmp(x, y, a.count) == 0
  }

  /// What makes this index unsafe to use, for one that was read from a file; nil when it is sound.
  /// - Complexity: O(slots + entities)
  package var damage: String? {
    guard slotCount >= 8, slotCount & (slotCount - 1) == 0 else { return "\(slotCount) slots, expected a power of two" }
    var previous: UInt64 = 0
    for number in 0...count {
      let offset = keyOffsets[number]
      guard offset >= previous, offset <= UInt64(keyBytes.byteCount) else { return "key \(number) starts at byte \(offset)" }
      previous = offset
    }
    var taken = 0
    for place in 0..<slotCount where slots[place] != 0 {
      taken += 1
      let number = Int(slots[place] & 0xFFFF_FFFF)
      guard (1...max(count, 1)).contains(number), count > 0 else { return "slot \(place) names entity \(number) of \(count)" }
    }
    // An empty slot ends every search.
    return taken == count && taken < slotCount ? nil : "\(taken) of \(slotCount) slots are taken by \(count) entities"
  }
}
