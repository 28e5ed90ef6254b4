import Columns
import Tables

/// The events of some entities, in the order of the join.
struct SelectedEvents {
  /// Per entity its first event, and behind the last their number.
  let starts: [Int32]
  /// Ascending within an entity; nil when timeless.
  let times: Values<Int64>?
  /// From when on each is known; nil when that is its event time.
  let known: Values<Int64>?
  /// In the order of the view's features.
  let features: [FeatureEvents]
}

/// The rows of a range that may matter to its labels: found by keys and times alone, before anything else is decoded.
struct EventSelection {
  private let join: ViewJoin
  private let runs: [SortedRun]
  /// Event times of every run; empty when timeless.
  private let times: [Column]
  /// The rows by run, entity by entity.
  private let list: StretchList
  /// Per entity its first event, and behind the last their number.
  private let starts: [Int32]
  private let fields: [String: Field]

  var rowCount: Int { list.rowCount }

  /// - Complexity: O(keys and times of the range); pages without matches are not decoded for other columns
  init(_ join: ViewJoin, range: Int, entities: Range<Int>) throws {
    self.join = join
    let view = join.view
    let schema =
      switch join.ranges {
      case .stored(let scan): scan.layout.schema
      case .memory(let batch, _): batch.schema
      }
    var fields: [String: Field] = [:]
    for name in view.sourceColumns + join.sortColumns {
      guard let field = schema[name] else {
        throw FeatureError(.notFound, "\(view.title): the rows of dataset \(view.source.name) lack column \(name)")
      }
      fields[name] = field
    }
    self.fields = fields
    let keyFields = join.keyColumns.compactMap { fields[$0] }
    let timeField = view.source.eventTime.flatMap { fields[$0] }
    runs = try join.ranges.runs(range, fields: view.sourceColumns.compactMap { fields[$0] })
    let wanted = join.labels.keys.map { $0.slice(from: entities.lowerBound, count: entities.count) }
    var times: [Column] = []
    var searches: [KeySearch] = []
    for run in runs {
      let keys = try run.read(keyFields + (timeField.map { [$0] } ?? [])).columns
      var search = KeySearch(wantedCount: entities.count, storedCount: run.rowCount)
      for (key, wanted) in zip(keys, wanted) { search.narrow(stored: try Self.compared(key, of: view), wanted: wanted) }
      searches.append(search)
      if timeField != nil, let column = keys.last { times.append(try ViewEvents.eventTimeColumn(column, of: view)) }
    }
    self.times = times
    var selector = EventSelector(join, searches: searches, times: times.map { $0.values(Int64.self) })
    selector.select(entities)
    list = selector.list
    starts = selector.starts
    guard list.rowCount < Int(Int32.max) else {
      throw FeatureError(.evaluation, "\(view.title): \(list.rowCount) rows are needed at once, at most 2147483646 are supported")
    }
  }

  private static func compared(_ column: Column, of view: CompiledView) throws(FeatureError) -> Column {
    do {
      return try column.cast(to: column.type.entityKeyType)
    } catch {
      throw FeatureError(.evaluation, "\(view.title): \(error)")
    }
  }

  /// Reads what the features need of the selected rows, and evaluates it.
  func events() throws -> SelectedEvents {
    let view = join.view
    var rows = try read(view.neededColumns, list)
    var eventTimes = times.isEmpty ? nil : Column.gather(times, list)
    let order = try sortOrder(eventTimes?.values(Int64.self))
    if let order {
      rows = rows.take(order)
      eventTimes = eventTimes?.take(order)
    }
    do {
      let mask = try view.filter.map { try $0.evaluate(rows).trueBits }
      let kept = mask.flatMap { $0.setCount == $0.count ? nil : $0 }
      if let kept { rows = rows.filter(kept) }
      let times = (kept.map { mask in eventTimes?.filter(mask) } ?? eventTimes)?.values(Int64.self)
      return SelectedEvents(
        starts: kept.map { starts(keeping: $0) } ?? starts, times: times, known: try ViewEvents.knownTimes(of: view, rows, times),
        features: try ViewEvents.features(of: view, rows: rows))
    } catch let error as FeatureError {
      throw try named(error, order)
    }
  }

  /// The order in which the join takes an entity's rows, where it is not the one in which they are stored.
  ///
  /// Of rows in the order of time only those of equal times have to be looked at.
  private func sortOrder(_ eventTimes: Values<Int64>?) throws -> [Int32]? {
    guard !join.sortColumns.isEmpty, list.rowCount > 1 else { return nil }
    var groups: [Range<Int>] = []
    for entity in 0..<starts.count - 1 {
      var start = Int(starts[entity])
      let end = Int(starts[entity + 1])
      guard join.isTimeSorted, let eventTimes else {
        if end - start > 1 { groups.append(start..<end) }
        continue
      }
      while start < end {
        var next = start + 1
        while next < end, eventTimes[next] == eventTimes[start] { next += 1 }
        if next - start > 1 { groups.append(start..<next) }
        start = next
      }
    }
    guard !groups.isEmpty else { return nil }
    let rows = try read(join.sortColumns, list.selecting(groups))
    var numbers = ColumnBuilder(.int32, capacity: rows.rowCount)
    for (number, group) in groups.enumerated() { for _ in group { numbers.append(Int32(number)) } }
    let columns = [numbers.finish()] + join.sortColumns.compactMap { rows[$0] }
    guard let sorted = SortKernel.permutation(by: columns) else { return nil }
    let positions = groups.flatMap { Array($0) }
    var order = (0..<list.rowCount).map { Int32(truncatingIfNeeded: $0) }
    for (place, row) in sorted.enumerated() { order[positions[place]] = Int32(truncatingIfNeeded: positions[Int(row)]) }
    return order
  }

  private func starts(keeping mask: Bitmap) -> [Int32] {
    var result: [Int32] = []
    result.reserveCapacity(starts.count)
    var kept: Int32 = 0
    var row = 0
    for start in starts {
      while row < Int(start) {
        if mask[row] { kept += 1 }
        row += 1
      }
      result.append(kept)
    }
    return result
  }

  /// Rows that lie further apart than this are decoded apart: about a page.
  private static let gapRowCount = 8 << 10

  /// Columns of selected rows.
  private func read(_ names: [String], _ list: StretchList) throws -> Batch {
    let wanted = names.compactMap { fields[$0] }
    let schema = Schema(wanted)
    guard !wanted.isEmpty, list.rowCount > 0 else {
      return list.rowCount == 0 ? Batch.empty(schema) : Batch(schema: schema, columns: [], rowCount: list.rowCount)
    }
    // What each run is read for: stretches ascend within a run.
    var parts = [[Range<Int>]](repeating: [], count: runs.count)
    for stretch in list.stretches {
      let run = Int(stretch.batch)
      let rows = Int(stretch.start)..<Int(stretch.start) + Int(stretch.count)
      if let last = parts[run].last, !runs[run].isStored || rows.lowerBound - last.upperBound < Self.gapRowCount {
        parts[run][parts[run].count - 1] = last.lowerBound..<rows.upperBound
      } else {
        parts[run].append(rows)
      }
    }
    var batches: [Batch] = []
    var firsts: [Int] = []
    for (run, ranges) in zip(runs, parts) {
      firsts.append(batches.count)
      for range in ranges { batches.append(try run.read(wanted, rows: range)) }
    }
    var places = StretchList()
    var next = [Int](repeating: 0, count: runs.count)
    for stretch in list.stretches {
      let run = Int(stretch.batch)
      while parts[run][next[run]].upperBound <= Int(stretch.start) { next[run] += 1 }
      places.append(
        batch: firsts[run] + next[run], start: Int(stretch.start) - parts[run][next[run]].lowerBound, count: Int(stretch.count))
    }
    return Batch.gather(batches, places, schema: schema)
  }

  /// An error of a row, with the key of the row: its number says little here.
  private func named(_ error: FeatureError, _ order: [Int32]?) throws -> FeatureError {
    guard error.kind == .evaluation, error.row != nil else { return error }
    let view = join.view
    var rows = try read(view.sourceColumns, list)
    if let order { rows = rows.take(order) }
    do {
      if let filter = view.filter {
        let passing = try filter.evaluate(rows).trueBits
        rows = rows.filter(passing)
      }
      _ = try ViewEvents.features(of: view, rows: rows)
      return error
    } catch let error as FeatureError {
      return ViewEvents.named(error, view, rows)
    }
  }
}

/// Chooses rows by keys and times.
private struct EventSelector {
  private(set) var list = StretchList()
  private(set) var starts: [Int32] = [0]
  private let join: ViewJoin
  private let searches: [KeySearch]
  private let times: [Values<Int64>]

  init(_ join: ViewJoin, searches: [KeySearch], times: [Values<Int64>]) {
    self.join = join
    self.searches = searches
    self.times = times
  }

  mutating func select(_ entities: Range<Int>) {
    starts.reserveCapacity(entities.count + 1)
    var lows = [Int](repeating: 0, count: searches.count)
    var highs = lows
    let isTimeSorted = join.isTimeSorted && !times.isEmpty
    for (index, entity) in entities.enumerated() {
      for run in searches.indices {
        lows[run] = Int(searches[run].lower[index])
        highs[run] = Int(searches[run].upper[index])
      }
      if isTimeSorted {
        let first = join.labels.times[Int(join.labels.starts[entity])]
        let last = join.labels.times[Int(join.labels.starts[entity + 1]) - 1]
        trim(&lows, &highs, from: first, through: last)
      } else if join.reach.isNewestOnly {
        keepLast(&lows, &highs)
      }
      for run in searches.indices where lows[run] < highs[run] {
        list.append(batch: run, start: lows[run], count: highs[run] - lows[run])
      }
      starts.append(Int32(truncatingIfNeeded: list.rowCount))
    }
  }

  private func keepLast(_ lows: inout [Int], _ highs: inout [Int]) {
    var isFound = false
    for run in lows.indices.reversed() where lows[run] < highs[run] {
      lows[run] = isFound ? highs[run] : highs[run] - 1
      isFound = true
    }
  }

  /// Leaves out what lies behind the last label, and what no label looks back to.
  private func trim(_ lows: inout [Int], _ highs: inout [Int], from first: Int64, through last: Int64) {
    let start = join.reach.exclusiveStart(at: first)
    guard start != nil else {
      for run in lows.indices where lows[run] < highs[run] {
        highs[run] = Gallop.end(upTo: last, in: times[run].base, from: lows[run], to: highs[run])
      }
      return
    }
    let wantsNewest = join.reach.wantsNewest
    var isFound = false
    for run in lows.indices.reversed() where lows[run] < highs[run] {
      let times = times[run].base
      highs[run] = Gallop.end(upTo: last, in: times, from: lows[run], to: highs[run])
      let from = lows[run]
      var low = start.map { $0 == .max ? highs[run] : Gallop.end(upTo: $0, in: times, from: from, to: highs[run]) } ?? from
      if wantsNewest, !isFound {
        let end = Gallop.end(upTo: first, in: times, from: from, to: highs[run])
        if end > from {
          isFound = true
          // Rows of the same time may come in another order.
          var newest = end - 1
          while newest > from, times[newest - 1] == times[end - 1] { newest -= 1 }
          low = min(low, newest)
        } else {
          low = from
        }
      }
      lows[run] = low
    }
  }
}
