/// Rows of two tables strung together from runs: what merging a few changes into many sorted rows comes to.
package struct Splice: Sendable {
  package struct Run: Hashable, Sendable {
    package var isFromSecond: Bool
    package var start: Int
    package var count: Int
  }

  package private(set) var runs: [Run] = []
  package private(set) var rowCount = 0

  package init() {}

  /// Appends rows; a run that goes on where the last one ended becomes part of it.
  package mutating func append(fromSecond: Bool, start: Int, count: Int) {
    guard count > 0 else { return }
    rowCount += count
    if let last = runs.last, last.isFromSecond == fromSecond, last.start + last.count == start {
      runs[runs.count - 1].count += count
    } else {
      runs.append(Run(isFromSecond: fromSecond, start: start, count: count))
    }
  }

  /// Whether the result is the first table as it is.
  package func isWholeFirst(rowCount count: Int) -> Bool {
    rowCount == count && (count == 0 || runs == [Run(isFromSecond: false, start: 0, count: count)])
  }
}

extension Batch {
  /// The runs of two batches in a row, under the first one's schema.
  /// - Precondition: equal column types; the runs lie within the batches.
  /// - Complexity: O(bytes of the result), by copies of whole runs
  package static func splice(_ first: Batch, _ second: Batch, _ splice: Splice) -> Batch {
    if splice.isWholeFirst(rowCount: first.rowCount) { return first }
    let columns = zip(first.columns, second.columns).map { Column.splice($0, $1, splice) }
    return Batch(schema: first.schema, columns: columns, rowCount: splice.rowCount)
  }
}

extension Column {
  /// The runs of two columns of one type in a row. - Precondition: the runs lie within the columns.
  package static func splice(_ first: Column, _ second: Column, _ splice: Splice) -> Column {
    precondition(first.type == second.type, "Only columns of one type can be spliced")
    let total = splice.rowCount
    for run in splice.runs {
      precondition(run.start >= 0 && run.start + run.count <= (run.isFromSecond ? second : first).count, "A run lies outside its column")
    }
    if first.type.isNested {
      return concatenate(splice.runs.map { ($0.isFromSecond ? second : first).slice(from: $0.start, count: $0.count) })
    }
    var validity: Bitmap?
    if first.nullCount > 0 || second.nullCount > 0 {
      validity = Bitmap.concatenate(
        splice.runs.map { run in ((run.isFromSecond ? second : first).validity?.slice(from: run.start, count: run.count), run.count) })
    }
    if first.type == .bool {
      let bits = Bitmap.concatenate(
        splice.runs.map { run in ((run.isFromSecond ? second : first).bits.slice(from: run.start, count: run.count), run.count) })
      return Column(type: first.type, count: total, validity: validity, data: bits.slice)
    }
    guard let width = first.type.byteWidth else { return spliceBytes(first, second, splice, validity: validity) }
    let buffer = Buffer(byteCapacity: total * width)
    defer { _fixLifetime((first, second)) }
    var target = buffer.pointer
    for run in splice.runs {
      let source = (run.isFromSecond ? second : first).data.start
      target.copyMemory(from: source + run.start * width, byteCount: run.count * width)
      target += run.count * width
    }
    return Column(type: first.type, count: total, validity: validity, data: BufferSlice(buffer, byteCount: total * width))
  }

  private static func spliceBytes(_ first: Column, _ second: Column, _ splice: Splice, validity: Bitmap?) -> Column {
    let total = splice.rowCount
    let (a, b) = (first.bytes, second.bytes)
    defer { _fixLifetime((first, second)) }
    var byteCount = 0
    for run in splice.runs {
      let offsets = (run.isFromSecond ? b : a).offsets.base
      byteCount += Int(offsets[run.start + run.count] - offsets[run.start])
    }
    let ends = Buffer(byteCapacity: (total + 1) * 8)
    let buffer = Buffer(byteCapacity: byteCount)
    // SAFETY: both buffers are ours alone and sized for what the runs hold; offsets ascend, and the runs were checked.
    let targetOffsets = ends.pointer.assumingMemoryBound(to: Int64.self)
    var row = 0
    var position: Int64 = 0
    for run in splice.runs {
      let source = run.isFromSecond ? b : a
      let offsets = source.offsets.base + run.start
      let shift = position &- offsets[0]
      for index in 0..<run.count { targetOffsets[row &+ index] = offsets[index] &+ shift }
      let length = Int(offsets[run.count] &- offsets[0])
      if length > 0 { (buffer.pointer + Int(position)).copyMemory(from: source.data.start + Int(offsets[0]), byteCount: length) }
      position &+= Int64(length)
      row &+= run.count
    }
    targetOffsets[total] = position
    return Column(
      type: first.type, count: total, validity: validity, data: BufferSlice(buffer, byteCount: byteCount),
      offsets: BufferSlice(ends, byteCount: (total + 1) * 8))
  }
}
