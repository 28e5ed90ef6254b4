import Columns

extension WindowBounds {
  /// Calls `come` for every event as it comes, by its place in the order of leaving, and `write` for every label row then.
  fileprivate func walk(
    _ events: LateEvents, start: () -> Void, come: (Int32) -> Void, write: (_ row: Int, _ firstHeld: Int32) -> Void
  ) {
    for (number, group) in groups.enumerated() {
      start()
      var end = leaving?.firsts[number] ?? 0
      for place in group.places {
        while end < ends[place] {
          come(events.places[Int(end)])
          end += 1
        }
        write(Int(rows[place]), starts[place])
      }
    }
  }
}

/// Least and greatest values of windows whose events leave in another order than they come: a heap of those that have come, from
/// whose top those that have left are taken.
enum LateExtreme {
  /// - Complexity: O(events · log(events of an entity) + places)
  static func evaluate(_ input: AggregateInput, _ events: LateEvents, _ bounds: WindowBounds) -> Column {
    guard let all = input.values else { preconditionFailure("min and max have values") }
    let values = all.take(events.leaving)
    let ordered = values.ordered
    defer { _fixLifetime(ordered) }
    let isMax = input.function == .max
    let found =
      switch ordered.type {
      case .float64: extremes(DoubleOrder(ordered), isMax, events, bounds)
      case .string, .binary: extremes(TextOrder(ordered), isMax, events, bounds)
      case .decimal: extremes(DecimalOrder(ordered), isMax, events, bounds)
      default: extremes(Int64Order(ordered), isMax, events, bounds)
      }
    return values.take(found)
  }

  /// Per label row the place in the order of leaving, or -1.
  private static func extremes<Order: ValueOrder>(
    _ order: Order, _ isMax: Bool, _ events: LateEvents, _ bounds: WindowBounds
  ) -> [Int32] {
    var result = [Int32](repeating: -1, count: bounds.labelCount)
    var heap = LeavingHeap()
    func isBetter(_ i: Int32, _ j: Int32) -> Bool { isMax ? order.isLess(Int(j), Int(i)) : order.isLess(Int(i), Int(j)) }
    bounds.walk(
      events, start: { heap.removeAll() }, come: { heap.insert($0, isBetter) },
      write: { row, firstHeld in result[row] = heap.best(from: firstHeld, isBetter) })
    return result
  }
}

/// The oldest and the newest events of such windows.
enum LateEdges {
  /// - Parameter events: those that pass.
  /// - Complexity: O(events · (log(events of an entity) + n) + places · n)
  static func evaluate(_ input: AggregateInput, _ events: LateEvents, _ bounds: WindowBounds) -> Column {
    guard let values = input.values else { preconditionFailure("first and last have values") }
    if case .lastN(let n) = input.function { return newest(n, values, events, bounds, type: input.type) }
    var found = [Int32](repeating: -1, count: bounds.labelCount)
    if input.function == .first {
      var heap = LeavingHeap()
      bounds.walk(
        events, start: { heap.removeAll() }, come: { heap.insert($0, <) },
        write: { row, firstHeld in found[row] = heap.best(from: firstHeld, <) })
    } else {
      var newest: Int32 = -1
      bounds.walk(
        events, start: { newest = -1 }, come: { newest = max(newest, $0) },
        write: { row, firstHeld in found[row] = newest >= firstHeld ? newest : -1 })
    }
    return values.take(found.map { $0 < 0 ? -1 : events.leaving[Int($0)] })
  }

  private static func newest(
    _ n: Int, _ values: Column, _ events: LateEvents, _ bounds: WindowBounds, type: DataType
  ) -> Column {
    // The newest of all that have come, ascending: what is newest in the window is among them.
    var held: [Int32] = []
    var found = [[Int32]](repeating: [], count: bounds.labelCount)
    bounds.walk(
      events, start: { held.removeAll(keepingCapacity: true) },
      come: { event in
        var place = held.count
        while place > 0, held[place - 1] > event { place -= 1 }
        if held.count == n && place == 0 { return }
        held.insert(event, at: place)
        if held.count > n { held.removeFirst() }
      }, write: { row, firstHeld in found[row] = held.reversed().filter { $0 >= firstHeld } })
    var offsets: [Int64] = [0]
    for events in found { offsets.append(offsets[offsets.count - 1] + Int64(events.count)) }
    return Column(
      nested: type, count: found.count, validity: Bitmap(flags: found.map { !$0.isEmpty }),
      offsets: offsets.withUnsafeBytes { BufferSlice(copying: $0) },
      children: [values.take(found.joined().map { events.leaving[Int($0)] })])
  }
}

/// A binary heap of places in the order of leaving; what has left is only taken out when it comes to the top.
private struct LeavingHeap {
  private var items: [Int32] = []

  mutating func removeAll() { items.removeAll(keepingCapacity: true) }

  @inline(__always) mutating func insert(_ item: Int32, _ isBetter: (Int32, Int32) -> Bool) {
    items.append(item)
    var child = items.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isBetter(items[child], items[parent]) else { return }
      items.swapAt(child, parent)
      child = parent
    }
  }

  /// The best item that is not below `first`, or -1.
  @inline(__always) mutating func best(from first: Int32, _ isBetter: (Int32, Int32) -> Bool) -> Int32 {
    while let top = items.first {
      if top >= first { return top }
      let last = items.removeLast()
      guard !items.isEmpty else { return -1 }
      items[0] = last
      sink(isBetter)
    }
    return -1
  }

  @inline(__always) private mutating func sink(_ isBetter: (Int32, Int32) -> Bool) {
    var parent = 0
    while true {
      var child = parent * 2 + 1
      guard child < items.count else { return }
      if child + 1 < items.count, isBetter(items[child + 1], items[child]) { child += 1 }
      guard isBetter(items[child], items[parent]) else { return }
      items.swapAt(child, parent)
      parent = child
    }
  }
}
