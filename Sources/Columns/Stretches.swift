#if canImport(Glibc)
  import Glibc
#endif

/// Rows next to each other in one of several batches.
package struct RowStretch: Hashable, Sendable {
  package var batch: Int32
  package var start: Int32
  package var count: Int32

  package init(batch: Int, start: Int, count: Int) {
    self.batch = Int32(batch)
    self.start = Int32(start)
    self.count = Int32(count)
  }
}

/// Rows of several batches in a new order, described by stretches; neighbours become one.
package struct StretchList: Sendable {
  package private(set) var stretches: [RowStretch] = []
  package private(set) var rowCount = 0

  package init() {}

  /// - Precondition: the rows exist in the batch that will be given.
  package mutating func append(batch: Int, start: Int, count: Int) {
    guard count > 0 else { return }
    rowCount += count
    if let last = stretches.last, Int(last.batch) == batch, Int(last.start) + Int(last.count) == start {
      stretches[stretches.count - 1].count = Int32(Int(last.count) + count)
    } else {
      stretches.append(RowStretch(batch: batch, start: start, count: count))
    }
  }

  /// Some of the rows. - Parameter ranges: ascending, without overlaps.
  /// - Complexity: O(stretches + ranges)
  package func selecting(_ ranges: [Range<Int>]) -> StretchList {
    var result = StretchList()
    var index = 0
    var first = 0
    for range in ranges {
      var low = range.lowerBound
      while low < range.upperBound {
        while first + Int(stretches[index].count) <= low {
          first += Int(stretches[index].count)
          index += 1
        }
        let stretch = stretches[index]
        let count = min(range.upperBound, first + Int(stretch.count)) - low
        result.append(batch: Int(stretch.batch), start: Int(stretch.start) + low - first, count: count)
        low += count
      }
    }
    return result
  }
}

extension Column {
  /// The stretches of several columns of one type, one after the other; without a copy when there is but one.
  /// - Precondition: at least one column; the stretches lie within the columns; values under nulls are zero or empty.
  /// - Complexity: O(stretches + bytes)
  package static func gather(_ columns: [Column], _ list: StretchList) -> Column {
    guard list.rowCount > 0 else { return Column(columns[0].type, []) }
    for stretch in list.stretches {
      let end = Int(stretch.start) + Int(stretch.count)
      precondition(stretch.start >= 0 && end <= columns[Int(stretch.batch)].count, "A stretch lies outside its column")
    }
    if list.stretches.count == 1, let only = list.stretches.first {
      return columns[Int(only.batch)].slice(from: Int(only.start), count: Int(only.count))
    }
    let type = columns[0].type
    guard let width = type.byteWidth, [1, 2, 4, 8, 16].contains(width), !columns.contains(where: { $0.nullCount > 0 }) else {
      return gather(columns, places(list))
    }
    let buffer = Buffer(byteCapacity: list.rowCount * width)
    switch width {
    case 1: copy(columns, list, to: buffer, UInt8.self)
    case 2: copy(columns, list, to: buffer, UInt16.self)
    case 4: copy(columns, list, to: buffer, UInt32.self)
    case 8: copy(columns, list, to: buffer, UInt64.self)
    default: copy(columns, list, to: buffer, UInt128.self)
    }
    return Column(type: type, count: list.rowCount, data: BufferSlice(buffer, byteCount: list.rowCount * width))
  }

  /// Most stretches are short: a loop is quicker for them than a call.
  private static func copy<Bits: BitwiseCopyable>(_ columns: [Column], _ list: StretchList, to buffer: Buffer, _: Bits.Type) {
    defer { _fixLifetime(columns) }
    let bases = columns.map { $0.data.start.assumingMemoryBound(to: Bits.self) }
    // SAFETY: the buffer has room for list.rowCount values and is ours alone; stretches were checked against the columns.
    var target = buffer.pointer.bindMemory(to: Bits.self, capacity: list.rowCount)
    bases.withUnsafeBufferPointer { bases in
      list.stretches.withUnsafeBufferPointer { stretches in
        for stretch in stretches {
          let source = bases[Int(stretch.batch)] + Int(stretch.start)
          let count = Int(stretch.count)
          if count <= 16 {
            for index in 0..<count { target[index] = source[index] }
          } else {
            target.update(from: source, count: count)
          }
          target += count
        }
      }
    }
  }

  private static func places(_ list: StretchList) -> [RowPlace] {
    [RowPlace](unsafeUninitializedCapacity: list.rowCount) { target, written in
      var next = 0
      for stretch in list.stretches {
        for row in stretch.start..<stretch.start + stretch.count {
          target[next] = RowPlace(batch: stretch.batch, row: row)
          next &+= 1
        }
      }
      written = next
    }
  }
}

extension Batch {
  /// The stretches of several batches of one schema, one after the other. - Complexity: O(stretches + bytes)
  package static func gather(_ batches: [Batch], _ list: StretchList, schema: Schema) -> Batch {
    guard !batches.isEmpty else {
      precondition(list.rowCount == 0, "There are no batches to gather rows from")
      return Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0)
    }
    let columns = schema.fields.indices.map { index in Column.gather(batches.map { $0.columns[index] }, list) }
    return Batch(schema: schema, columns: columns, rowCount: list.rowCount)
  }
}
