import Columns
import History

/// A version cut into ranges of its leading key columns, across all partitions that may hold wanted times.
///
/// Rows with equal leading columns are in one range, so that an entity's whole history is at hand while memory is bounded by the
/// range. Leaves and tails are looked into by sampling keys; only the pages that hold a range are decoded for it.
package struct KeyRangeScan: Sendable {
  /// Rows of one leaf, or of one partition in one tail, ascending by key.
  private struct Stretch: Sendable {
    let stored: StoredRows
    let rows: Range<Int>
    let sampleRowCount: Int
    /// The encoded leading columns of every `sampleRowCount`th row.
    let samples: [[UInt8]]
    /// Where each range starts, and where the last one ends.
    var bounds: [Int] = []
  }

  private struct Partition: Sendable {
    /// Nil for rows of a projection, which have no tails.
    let view: PartitionView?
    var leaves: [Stretch]
    var tails: [Stretch]
  }

  package let layout: TableLayout
  /// The leading key columns whose equal rows stay together.
  package let leading: [Field]
  /// Encoded leading columns: range `i` holds those above `cuts[i - 1]` up to and including `cuts[i]`; the last range is open.
  package let cuts: [[UInt8]]
  /// Of the version, those without wanted times among them.
  package let partitionCount: Int
  private var partitions: [Partition]

  package var rangeCount: Int { cuts.count + 1 }
  /// Those that may hold wanted times.
  package var readPartitionCount: Int { partitions.count }
  package var leafCount: Int { partitions.reduce(0) { $0 + $1.leaves.count } }
  /// A tail counts once for each partition that it changes.
  package var tailCount: Int { partitions.reduce(0) { $0 + $1.tails.count } }
  package var rowCount: Int { partitions.reduce(0) { $0 + ($1.leaves + $1.tails).reduce(0) { $0 + $1.rows.count } } }

  /// Looked at together when a cut is searched: some pages.
  package static let sampleRowCount = 32 << 10

  /// - Parameters:
  ///   - version: the rows.
  ///   - layout: a later one to read them under; nil for the version's own.
  ///   - leadingCount: how many leading key columns keep rows together.
  ///   - times: event times in microseconds outside of which no row is needed; nil for all.
  ///   - rowCountMax: about how many rows a range may have, unless one entity has more.
  ///   - tally: told of what is read, now and later.
  /// - Throws: `TableError`, `StoreError` when a file cannot be read.
  /// - Complexity: O(rows / 32 Ki) pages of the leading columns
  package init(
    _ version: TableVersion, layout other: TableLayout? = nil, leadingCount: Int, times: ClosedRange<Int64>?, rowCountMax: Int,
    tally: ReadTally? = nil
  ) throws {
    // Ranges can be no finer than samples.
    let sampleRowCount = max(1, min(Self.sampleRowCount, rowCountMax / 4))
    let layout = other ?? version.layout
    let leading = Array(layout.keySchema.fields.prefix(leadingCount))
    let numbers = Self.numbers(version.partitionNumbers, holding: times, layout: layout)
    let views = try numbers.map { try version.partition($0, as: layout) }
    var found = try parallelMap(views) { view in
      let leaves = try view.leaves.map { leaf -> Stretch in
        var stored = try StoredRows(leaf: leaf.id, in: view.archive)
        stored.tally = tally
        return try Self.sampled(stored, 0..<stored.rowCount, leading, every: sampleRowCount)
      }
      let tails = try view.tails.map { tail in
        var stored = try StoredRows(tail: tail.id, in: view.archive)
        stored.tally = tally
        return try Self.sampled(stored, tail.rows, leading, every: sampleRowCount)
      }
      return Partition(view: view, leaves: leaves, tails: tails)
    }
    try self.init(layout: layout, leading: leading, partitions: &found, count: version.partitionNumbers.count, rowCountMax: rowCountMax)
  }

  /// Ranges of a projection, whose order replaces that of the key.
  package init(_ projection: SortedProjection, layout: TableLayout, leadingCount: Int, rowCountMax: Int, tally: ReadTally? = nil) throws {
    let leading = projection.order.prefix(leadingCount).compactMap { layout.schema[$0] }
    let sampleRowCount = max(1, min(Self.sampleRowCount, rowCountMax / 4))
    let parts = try parallelMap(projection.parts) { part in
      var part = part
      part.tally = tally
      return try Self.sampled(part, 0..<part.rowCount, leading, every: sampleRowCount)
    }
    var found = [Partition(view: nil, leaves: parts, tails: [])]
    try self.init(layout: layout, leading: leading, partitions: &found, count: 1, rowCountMax: rowCountMax)
  }

  private init(
    layout: TableLayout, leading: [Field], partitions found: inout [Partition], count: Int, rowCountMax: Int
  ) throws {
    let cuts = Self.cuts(found.flatMap { $0.leaves + $0.tails }, rowCountMax: rowCountMax)
    found = try parallelMap(found) { partition in
      var partition = partition
      for index in partition.leaves.indices { try Self.setBounds(of: &partition.leaves[index], cuts, leading) }
      for index in partition.tails.indices { try Self.setBounds(of: &partition.tails[index], cuts, leading) }
      return partition
    }
    self.layout = layout
    self.leading = leading
    self.cuts = cuts
    partitionCount = count
    partitions = found
  }

  /// The values of a cut, as columns of one row in the types of the leading columns.
  package func cutColumns(_ index: Int) throws(TableError) -> [Column] {
    do {
      return zip(leading, try KeyEncoder.decode(cuts[index], types: leading.map(\.type))).map { Column($0.type, [$1]) }
    } catch {
      throw TableError(.corrupt, "Cannot read a key: \(error)")
    }
  }

  /// The rows of a range as runs: an entity's rows in an earlier run come before those in a later one, by (partition, key).
  /// - Parameter fields: what will be read of the runs.
  /// - Complexity: O(1) for each leaf; the bytes of the range's rows in a partition with tails
  package func runs(_ range: Int, fields: [Field]) throws -> [SortedRun] {
    var runs: [SortedRun] = []
    for partition in partitions {
      func own(_ stretch: Stretch) -> Range<Int> { stretch.bounds[range]..<stretch.bounds[range + 1] }
      let tails = partition.tails.indices.filter { !own(partition.tails[$0]).isEmpty }
      let leaves = partition.leaves.filter { !own($0).isEmpty }
      guard !tails.isEmpty, let view = partition.view else {
        runs += leaves.map { SortedRun($0.stored, rows: own($0)) }
        continue
      }
      let all = view.withKeys(fields)
      var operations: RowOperations?
      for index in tails {
        partition.tails[index].stored.note(all + [RowOperation.field], rows: own(partition.tails[index]))
        let next = try TailFile.read(
          view.tails[index].id, rows: own(partition.tails[index]), fields: all, layout: layout, from: view.archive)
        operations = operations.map { RowOperations.compose($0, next).operations } ?? next
      }
      guard let operations else { continue }
      let parts = try leaves.map { try $0.stored.read(all, rows: own($0)) }
      let stored = parts.isEmpty ? Batch.empty(Schema(all)) : Batch.concatenate(parts)
      let merged = operations.applied(to: stored, found: operations.search(in: stored))
      if merged.rowCount > 0 { runs.append(SortedRun(merged)) }
    }
    return runs
  }

  // MARK: Planning

  private static func numbers(_ all: [Int64], holding times: ClosedRange<Int64>?, layout: TableLayout) -> [Int64] {
    guard let times, layout.partitioning != .none else { return all }
    let bounds = Column(.timestampMicros, [.timestamp(times.lowerBound, .microsecond), .timestamp(times.upperBound, .microsecond)])
    let numbers = PartitionNumbers.column(of: bounds, layout.partitioning).values(Int64.self)
    return all.filter { $0 >= numbers[0] && $0 <= numbers[1] }
  }

  private static func sampled(_ stored: StoredRows, _ rows: Range<Int>, _ leading: [Field], every sampleRowCount: Int) throws -> Stretch {
    guard rows.upperBound <= stored.rowCount else {
      throw TableError(.corrupt, "A file holds \(stored.rowCount) rows, expected \(rows.upperBound) at least")
    }
    let samples = try stride(from: rows.lowerBound, to: rows.upperBound, by: sampleRowCount).map { row in
      try encoded(stored.read(leading, rows: row..<row + 1).columns, row: 0)
    }
    return Stretch(stored: stored, rows: rows, sampleRowCount: sampleRowCount, samples: samples)
  }

  private static func encoded(_ columns: [Column], row: Int) throws(TableError) -> [UInt8] {
    do {
      return try KeyEncoder.encode(columns, row: row)
    } catch {
      throw TableError(.corrupt, "Cannot read a stored key: \(error)")
    }
  }

  private static func cuts(_ stretches: [Stretch], rowCountMax: Int) -> [[UInt8]] {
    var weighted: [(key: [UInt8], rowCount: Int)] = []
    for stretch in stretches {
      var rest = stretch.rows.count
      for key in stretch.samples {
        weighted.append((key, min(rest, stretch.sampleRowCount)))
        rest -= stretch.sampleRowCount
      }
    }
    weighted.sort { $0.key.lexicographicallyPrecedes($1.key) }
    var cuts: [[UInt8]] = []
    var total = 0
    for (key, rowCount) in weighted {
      if total + rowCount > rowCountMax, total > 0, cuts.last.map({ $0.lexicographicallyPrecedes(key) }) ?? true {
        cuts.append(key)
        total = 0
      }
      total += rowCount
    }
    return cuts
  }

  private static func setBounds(of stretch: inout Stretch, _ cuts: [[UInt8]], _ leading: [Field]) throws {
    var bounds = [stretch.rows.lowerBound]
    for cut in cuts {
      // The last sample up to the cut: the range ends between it and the next sample.
      var low = 0
      var high = stretch.samples.count
      while low < high {
        let middle = (low + high) / 2
        if cut.lexicographicallyPrecedes(stretch.samples[middle]) { high = middle } else { low = middle + 1 }
      }
      guard low > 0 else {
        bounds.append(stretch.rows.lowerBound)
        continue
      }
      let start = stretch.rows.lowerBound + (low - 1) * stretch.sampleRowCount
      let part = start..<min(start + stretch.sampleRowCount, stretch.rows.upperBound)
      let keys = try stretch.stored.read(leading, rows: part).columns
      bounds.append(start + SortedKeys.firstRow(after: cut, in: 0..<part.count, keys: keys))
    }
    bounds.append(stretch.rows.upperBound)
    guard zip(bounds, bounds.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw TableError(
        .corrupt, "Cannot read \(stretch.stored.name): its rows are not in the order of the key; `almanac fsck` says which versions have it"
      )
    }
    stretch.bounds = bounds
  }
}
