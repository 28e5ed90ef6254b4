#if canImport(Glibc)
  import Glibc
#endif

/// A row of one of several batches that follow each other.
package struct RowPlace: Hashable, Sendable {
  package let batch: Int32
  package let row: Int32
}

/// Several batches of one schema as one table, without a copy that strings them together.
package struct BatchList: Sendable {
  package let schema: Schema
  package let batches: [Batch]
  /// The number, in the whole, of each batch's first row; and the number of all rows.
  private let starts: [Int]
  package var rowCount: Int { starts[starts.count - 1] }

  /// - Precondition: the batches have the schema's column types; together at most `Int32.max` rows.
  package init(_ batches: [Batch], schema: Schema) {
    self.schema = schema
    self.batches = batches.filter { $0.rowCount > 0 }
    var starts = [0]
    for batch in self.batches { starts.append(starts[starts.count - 1] + batch.rowCount) }
    precondition(starts[starts.count - 1] <= Int(Int32.max), "Row numbers are 32 bits wide")
    self.starts = starts
  }

  /// Where a row is. - Complexity: O(log batches)
  package func place(_ row: Int) -> RowPlace {
    var low = 0
    var high = batches.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= row { low = middle } else { high = middle }
    }
    return RowPlace(batch: Int32(low), row: Int32(row - starts[low]))
  }

  /// One column, strung together. - Complexity: O(bytes); none for a single batch
  package func column(_ name: String) -> Column {
    let index = schema.index(of: name)!
    guard !batches.isEmpty else { return Column(schema.fields[index].type, []) }
    return Column.concatenate(batches.map { $0.columns[index] })
  }

  /// The rows of these numbers, in this order. - Precondition: each is a row.
  /// - Complexity: O(rows · log batches), plus the bytes of strings
  package func take(_ rows: some Collection<Int32>) -> Batch {
    guard batches.count > 1 else {
      let only = batches.first ?? Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0)
      return Batch(schema: schema, columns: only.take(Array(rows)).columns, rowCount: rows.count)
    }
    let places = rows.map { place(Int($0)) }
    let columns = schema.fields.indices.map { index in Column.gather(batches.map { $0.columns[index] }, places) }
    return Batch(schema: schema, columns: columns, rowCount: places.count)
  }

  /// Rows next to each other; without a copy when they lie in one batch.
  package func slice(_ range: Range<Int>) -> Batch {
    guard !range.isEmpty else { return Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0) }
    var parts: [Batch] = []
    for index in batches.indices {
      let own = range.clamped(to: starts[index]..<starts[index + 1])
      if !own.isEmpty { parts.append(batches[index].slice(from: own.lowerBound - starts[index], count: own.count)) }
    }
    return Batch(schema: schema, columns: Batch.concatenate(parts).columns, rowCount: range.count)
  }
}

extension Column {
  /// Rows of several columns of one type.
  /// - Precondition: each place is a row of one of the columns; values under nulls are zero or empty.
  static func gather(_ columns: [Column], _ places: [RowPlace]) -> Column {
    let type = columns[0].type
    let count = places.count
    defer { _fixLifetime(columns) }
    let validity: Bitmap? =
      columns.contains { $0.nullCount > 0 } ? Bitmap(count: count) { columns[Int(places[$0].batch)].isValid(Int(places[$0].row)) } : nil
    if type == .bool {
      let bits = columns.map(\.bits)
      let taken = Bitmap(count: count) { bits[Int(places[$0].batch)][Int(places[$0].row)] }
      return Column(type: type, count: count, validity: validity, data: taken.slice)
    }
    if type.isVariableLength { return gatherBytes(columns, places, validity: validity) }
    guard let width = type.byteWidth else {
      preconditionFailure("Columns of \(type) are not gathered: datasets hold none")
    }
    let buffer = Buffer(byteCapacity: count * width)
    let bases = columns.map(\.data.start)
    switch width {
    case 1: gather(bases, places, to: buffer.pointer, UInt8.self)
    case 2: gather(bases, places, to: buffer.pointer, UInt16.self)
    case 4: gather(bases, places, to: buffer.pointer, UInt32.self)
    case 8: gather(bases, places, to: buffer.pointer, UInt64.self)
    case 16: gather(bases, places, to: buffer.pointer, UInt128.self)
    default:
      for (index, place) in places.enumerated() {
        (buffer.pointer + index * width).copyMemory(from: bases[Int(place.batch)] + Int(place.row) * width, byteCount: width)
      }
    }
    return Column(type: type, count: count, validity: validity, data: BufferSlice(buffer, byteCount: count * width))
  }

  @inline(__always) private static func gather<Bits: BitwiseCopyable>(
    _ bases: [UnsafeRawPointer], _ places: [RowPlace], to target: UnsafeMutableRawPointer, _: Bits.Type
  ) {
    // SAFETY: the target holds places.count values and is ours alone; places were made from rows of the columns.
    let target = target.assumingMemoryBound(to: Bits.self)
    bases.withUnsafeBufferPointer { bases in
      places.withUnsafeBufferPointer { places in
        for index in 0..<places.count {
          let place = places[index]
          target[index] = bases[Int(place.batch)].assumingMemoryBound(to: Bits.self)[Int(place.row)]
        }
      }
    }
  }

  private static func gatherBytes(_ columns: [Column], _ places: [RowPlace], validity: Bitmap?) -> Column {
    let count = places.count
    let ends = Buffer(byteCapacity: (count + 1) * 8)
    let sources = Buffer(byteCapacity: count * 8)
    // SAFETY: the buffers are ours alone and sized before they are filled; places were made from rows of the columns.
    let targetOffsets = ends.pointer.assumingMemoryBound(to: Int64.self)
    let starts = sources.pointer.assumingMemoryBound(to: UnsafeRawPointer.self)
    let offsets = columns.map { $0.bytes.offsets.base }
    let bases = columns.map(\.data.start)
    targetOffsets[0] = 0
    var byteCount: Int64 = 0
    offsets.withUnsafeBufferPointer { offsets in
      bases.withUnsafeBufferPointer { bases in
        places.withUnsafeBufferPointer { places in
          for index in 0..<count {
            let place = places[index]
            let source = offsets[Int(place.batch)] + Int(place.row)
            let start = source[0]
            starts[index] = bases[Int(place.batch)] + Int(start)
            byteCount &+= source[1] &- start
            targetOffsets[index &+ 1] = byteCount
          }
        }
      }
    }
    // A string near the end of its buffer is copied byte by byte: a whole vector might reach behind the buffer.
    let ends16 = columns.map { $0.data.start + ($0.data.byteCount - ShortCopy.byteCountMax) }
    let buffer = Buffer(byteCapacity: Int(byteCount))
    places.withUnsafeBufferPointer { places in
      ends16.withUnsafeBufferPointer { ends16 in
        for index in 0..<count {
          let start = Int(targetOffsets[index])
          let length = Int(targetOffsets[index &+ 1]) &- start
          guard length > 0 else { continue }
          let source = starts[index]
          let target = buffer.pointer + start
          if length <= ShortCopy.byteCountMax && source <= ends16[Int(places[index].batch)] {
            target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
            target.storeBytes(of: source.loadUnaligned(fromByteOffset: 8, as: UInt64.self), toByteOffset: 8, as: UInt64.self)
          } else {
            memcpy(target, source, length)
          }
        }
      }
    }
    _fixLifetime(sources)
    return Column(
      type: columns[0].type, count: count, validity: validity, data: BufferSlice(buffer, byteCount: Int(byteCount)),
      offsets: BufferSlice(ends, byteCount: (count + 1) * 8))
  }
}
