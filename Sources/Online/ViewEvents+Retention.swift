import Columns
import Features

extension ViewEvents {
  /// The events that lookups at `time` or later can need, with the entities that have any.
  func retained(at time: Int64) -> ViewEvents {
    let hasValues = features.contains { if case .value = $0 { true } else { false } }
    let windows = features.compactMap { feature -> Window? in if case .aggregate(let input) = feature { input.window } else { nil } }
    var isKept = [Bool](repeating: false, count: eventCount)
    var entities: [Int32] = []
    var starts: [UInt32] = []
    var total = 0
    for entity in 0..<entityCount {
      let range = events(of: entity)
      let end = end(upTo: time, in: range)
      var first = windows.contains(.all) ? range.lowerBound : end
      for window in windows {
        // No start: the window reaches back beyond all times.
        let before = AggregateInput.exclusiveStart(of: window, at: time)
        first = min(first, before.map { self.end(upTo: $0, in: range.lowerBound..<end) } ?? range.lowerBound)
      }
      if hasValues && end > range.lowerBound {
        // Until one of them is known, any may come to be the newest.
        first = min(first, newestKnown(at: time, in: range.lowerBound..<end) ?? range.lowerBound)
      }
      // Of a view without windows nothing before the newest event is needed.
      guard first < range.upperBound else { continue }
      for event in first..<range.upperBound { isKept[event] = true }
      entities.append(Int32(entity))
      starts.append(UInt32(total))
      total += range.upperBound - first
    }
    guard total < eventCount || entities.count < entityCount else { return self }
    starts.append(UInt32(total))
    return selecting(Bitmap(flags: isKept), count: total, entities: entities, starts: starts)
  }

  private func selecting(_ mask: Bitmap, count: Int, entities: [Int32], starts: [UInt32]) -> ViewEvents {
    let byteCount = entities.reduce(0) { $0 + index.key(Int($1)).count }
    let (keys, repetition) = EntityIndex.build(count: entities.count, byteCount: byteCount) { index.key(Int(entities[$0])) }
    precondition(repetition == nil, "Entities have different keys")
    var columns = FilteredColumns(mask)
    let kept = features.map { feature -> FeatureEvents in
      switch feature {
      case .value(let values): return .value(columns.column(values))
      case .aggregate(let input):
        return .aggregate(
          AggregateInput(
            function: input.function, window: input.window, type: input.type, values: input.values.map { columns.column($0) },
            passing: input.passing.map { columns.bits($0) }))
      }
    }
    func filtered(_ times: Values<Int64>) -> Values<Int64> {
      Column(type: .int64, count: eventCount, data: BufferSlice(owner: TimesOwner(times), start: times.base, byteCount: eventCount * 8))
        .filter(mask).values(Int64.self)
    }
    return ViewEvents(
      index: keys, starts: starts.withUnsafeBytes { Values(BufferSlice(copying: $0), count: starts.count) }, times: times.map(filtered),
      known: known.map(filtered), features: kept, featureTypes: featureTypes, ttlMicros: ttlMicros, eventCount: count)
  }
}

/// Filters columns that share memory only once, so that the results share it again.
private struct FilteredColumns {
  private let mask: Bitmap
  private var columns: [MemoryPlace: Column] = [:]

  init(_ mask: Bitmap) { self.mask = mask }

  mutating func column(_ column: Column) -> Column {
    let place = MemoryPlace(column)
    if let found = columns[place] { return found.type == column.type ? found : found.reinterpreted(as: column.type) }
    let filtered = column.filter(mask)
    columns[place] = filtered
    return filtered
  }

  mutating func bits(_ bits: Bitmap) -> Bitmap { column(Column.bits(bits)).bits }
}

/// Where the parts of a column lie: columns that agree in it and in their width have the same values.
struct MemoryPlace: Hashable {
  private let data: UInt
  private let width: Int?
  private let offsets: UInt?
  private let validity: UInt?
  private let bitOffsets: [Int]

  init(_ column: Column) {
    let bits = column.type == .bool ? column.bits : nil
    data = UInt(bitPattern: bits?.slice.start ?? column.data.start)
    width = column.type.byteWidth
    offsets = column.offsets.map { UInt(bitPattern: $0.start) }
    validity = column.validity.map { UInt(bitPattern: $0.slice.start) }
    bitOffsets = [column.validity?.bitOffset ?? 0, bits?.bitOffset ?? 0]
  }
}

/// Keeps the memory of times alive that are seen as a column.
private final class TimesOwner: Sendable {
  let times: Values<Int64>
  init(_ times: Values<Int64>) { self.times = times }
}

extension Column {
  fileprivate static func bits(_ bits: Bitmap) -> Column {
    Column(type: .bool, count: bits.count, data: bits.slice(from: 0, count: bits.count).slice, bitOffset: bits.bitOffset)
  }
}
