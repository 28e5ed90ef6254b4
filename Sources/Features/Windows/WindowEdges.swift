import Columns

/// The oldest and the newest events of windows.
enum WindowEdges {
  /// - Parameter bounds: counted by the events that pass.
  /// - Complexity: O(labels · n)
  static func evaluate(_ input: AggregateInput, _ bounds: WindowBounds) -> Column {
    guard let values = input.values else { preconditionFailure("first and last have values") }
    let events = input.passing?.setIndices
    if case .lastN(let n) = input.function { return newest(n, values, events, bounds, type: input.type) }
    var taken = [Int32](repeating: -1, count: bounds.labelCount)
    let isFirst = input.function == .first
    for place in bounds.rows.indices where bounds.starts[place] < bounds.ends[place] {
      let event = isFirst ? bounds.starts[place] : bounds.ends[place] &- 1
      taken[Int(bounds.rows[place])] = events.map { $0[Int(event)] } ?? event
    }
    return values.take(taken)
  }

  private static func newest(_ n: Int, _ values: Column, _ events: [Int32]?, _ bounds: WindowBounds, type: DataType) -> Column {
    let count = bounds.labelCount
    var places = [Int32](repeating: -1, count: count)
    for place in bounds.rows.indices where bounds.starts[place] < bounds.ends[place] {
      places[Int(bounds.rows[place])] = Int32(truncatingIfNeeded: place)
    }
    var elements: [Int32] = []
    let offsets = Buffer(byteCapacity: (count + 1) * 8)
    // SAFETY: the buffer has just been made for this many offsets, and nobody else has seen it.
    let target = offsets.pointer.bindMemory(to: Int64.self, capacity: count + 1)
    target[0] = 0
    for row in 0..<count {
      if places[row] >= 0 {
        let (start, end) = (bounds.starts[Int(places[row])], bounds.ends[Int(places[row])])
        for event in (max(start, end - Int32(n))..<end).reversed() { elements.append(events.map { $0[Int(event)] } ?? event) }
      }
      target[row + 1] = Int64(elements.count)
    }
    return Column(
      nested: type, count: count, validity: Bitmap(flags: places.map { $0 >= 0 }),
      offsets: BufferSlice(offsets, byteCount: (count + 1) * 8), children: [values.take(elements)])
  }
}
