import Columns
import Tables

extension ViewEvents {
  /// Reads, filters and evaluates the rows of a view.
  ///
  /// - Throws: `evaluation` when an expression fails on a row, whatever entity it belongs to; what the source throws.
  /// - Complexity: O(rows)
  package static func build(_ view: CompiledView, from source: any FeatureSource) throws -> ViewEvents {
    let batch = try source.rows(view.source.name, columns: view.sourceColumns, order: view.eventOrder)
    return try build(view, rows: batch)
  }

  /// - Parameter rows: the view's source columns, in the order that `eventOrder` names.
  package static func build(_ view: CompiledView, rows: Batch) throws -> ViewEvents {
    guard rows.rowCount < Int(Int32.max) else {
      throw FeatureError(
        .evaluation, "\(view.title): dataset \(view.source.name) has \(rows.rowCount) rows, at most 2147483646 are supported")
    }
    let rows = try filtered(view, rows)
    let columns = try view.keyColumns.map { name in try column(name, of: rows, for: view) }
    let times = try view.source.eventTime.map { name in
      try eventTimeColumn(column(name, of: rows, for: view), of: view).values(Int64.self)
    }
    let known = try knownTimes(of: view, rows, times)
    let starts = try entityStarts(columns, times: times, of: view)
    let index = try entityIndex(columns, starts: starts, of: view)
    let events: [FeatureEvents]
    do {
      events = try features(of: view, rows: rows)
    } catch let error as FeatureError {
      throw named(error, view, rows)
    }
    return ViewEvents(
      index: index, starts: Values(starts.slice, count: starts.count), times: times, known: known, features: events,
      featureTypes: view.features.map(\.type), ttlMicros: view.view.ttlMicros, eventCount: rows.rowCount)
  }

  /// What the features read of rows that pass the view's `where`.
  /// - Throws: `evaluation` when an expression fails on a row.
  static func features(of view: CompiledView, rows: Batch) throws -> [FeatureEvents] {
    var inputs = FeatureInputs(rows)
    return try view.features.map { try inputs.events(of: $0) }
  }

  static func column(_ name: String, of rows: Batch, for view: CompiledView) throws(FeatureError) -> Column {
    guard let column = rows[name] else {
      throw FeatureError(.notFound, "\(view.title): the rows of dataset \(view.source.name) lack column \(name)")
    }
    return column
  }

  /// The rows that pass the view's `where` and have a whole key.
  private static func filtered(_ view: CompiledView, _ rows: Batch) throws -> Batch {
    var mask: Bitmap?
    for name in view.keyColumns {
      guard let validity = rows[name]?.validity else { continue }
      mask = mask.map { $0.intersection(validity) } ?? validity
    }
    if let filter = view.filter {
      let passing: Bitmap
      do {
        passing = try filter.evaluate(rows).trueBits
      } catch {
        throw named(error, view, rows)
      }
      mask = mask.map { $0.intersection(passing) } ?? passing
    }
    guard let mask, mask.setCount < rows.rowCount else { return rows }
    return rows.filter(mask)
  }

  /// A row number says little of rows that were sorted and filtered: the key names the row.
  static func named(_ error: FeatureError, _ view: CompiledView, _ rows: Batch) -> FeatureError {
    guard error.kind == .evaluation, let row = error.row else { return error }
    var error = error
    let key = view.eventOrder.compactMap { name in rows[name].map { "\(name) = \($0.text(at: row))" } }
    error.text += "; the row has \(key.joined(separator: ", "))"
    error.row = nil
    return error
  }

  /// Event times in microseconds.
  static func eventTimeColumn(_ column: Column, of view: CompiledView) throws(FeatureError) -> Column {
    let object = "\(view.title): event time \(view.source.eventTime ?? "") of dataset \(view.source.name)"
    if let row = column.firstNull {
      throw FeatureError(.evaluation, "\(object): expected a time in every row, found null in row \(row + 1)")
    }
    do {
      return try column.cast(to: .timestampMicros)
    } catch {
      throw FeatureError(.evaluation, "\(object): \(error)")
    }
  }

  /// From when on each row is known: the later of its event time and its created time, the former where there is no created time.
  /// Without either a row is known from the start.
  /// - Returns: nil unless the view asks for it.
  static func knownTimes(of view: CompiledView, _ rows: Batch, _ times: Values<Int64>?) throws(FeatureError) -> Values<Int64>? {
    guard let name = view.knowledgeColumn else { return nil }
    let created: Column
    do {
      created = try column(name, of: rows, for: view).cast(to: .timestampMicros)
    } catch let error as CastError {
      throw FeatureError(
        .evaluation, "\(view.title): created time \(name) of dataset \(view.source.name): \(error)")
    } catch let error as FeatureError {
      throw error
    } catch {
      throw FeatureError(.evaluation, "\(view.title): \(error)")
    }
    let values = created.values(Int64.self)
    let buffer = Buffer(byteCapacity: created.count * 8)
    // SAFETY: the buffer has just been made for this many times, and nobody else has seen it.
    let known = buffer.pointer.bindMemory(to: Int64.self, capacity: created.count)
    for row in 0..<created.count {
      let event = times?[row] ?? .min
      known[row] = created.isValid(row) ? max(event, values[row]) : event
    }
    return Values(BufferSlice(buffer, byteCount: created.count * 8), count: created.count)
  }

  private struct Starts {
    let slice: BufferSlice
    let count: Int
    let rows: [Int32]
  }

  /// Where a row's key differs from the one before; checks on the way that times ascend.
  private static func entityStarts(_ keys: [Column], times: Values<Int64>?, of view: CompiledView) throws -> Starts {
    let count = keys[0].count
    var isStart = [Bool](repeating: false, count: count)
    if count > 0 { isStart[0] = true }
    isStart.withUnsafeMutableBufferPointer { flags in
      for key in keys { key.markChanges(in: flags) }
    }
    var rows: [Int32] = []
    for row in 0..<count {
      if isStart[row] {
        rows.append(Int32(row))
      } else if let times, times[row] < times[row - 1] {
        throw FeatureError(
          .evaluation, "\(view.title): rows of dataset \(view.source.name) were read out of the order of entity and event time")
      }
    }
    let buffer = Buffer(byteCapacity: (rows.count + 1) * 4)
    let target = buffer.pointer.bindMemory(to: UInt32.self, capacity: rows.count + 1)
    for (entity, row) in rows.enumerated() { target[entity] = UInt32(row) }
    target[rows.count] = UInt32(count)
    return Starts(slice: BufferSlice(buffer, byteCount: (rows.count + 1) * 4), count: rows.count + 1, rows: rows)
  }

  private static func entityIndex(_ keys: [Column], starts: Starts, of view: CompiledView) throws -> EntityIndex {
    do {
      let firsts = try keys.map { key in try key.take(starts.rows).cast(to: key.type.entityKeyType) }
      let (index, repetition) = EntityIndex.build(try KeyEncoder.encodeAll(firsts, rows: 0..<starts.rows.count))
      guard repetition == nil else {
        throw FeatureError(.evaluation, "\(view.title): rows of dataset \(view.source.name) were read out of the order of their entities")
      }
      return index
    } catch let error as CastError {
      throw FeatureError(.evaluation, "\(view.title): \(error)")
    } catch let error as KeyError {
      throw FeatureError(.type, "\(view.title): \(error)")
    }
  }

}

/// Evaluates what features read of every row, equal texts only once, so that features over one column share its memory.
private struct FeatureInputs {
  private let rows: Batch
  private var values: [String: Column] = [:]
  private var summed: [String: Column] = [:]
  private var filters: [String: Bitmap] = [:]

  init(_ rows: Batch) { self.rows = rows }

  mutating func events(of feature: CompiledFeature) throws -> FeatureEvents {
    switch feature.kind {
    case .value(let expression): return .value(try value(of: expression))
    case .aggregate(let function, let of, let window, let filter):
      var passing = try filter.map { try self.passing($0) }
      var values: Column?
      switch (function, of) {
      case (.count, let of?):
        // A count asks only which events have a value.
        if let validity = try value(of: of).validity { passing = passing.map { $0.intersection(validity) } ?? validity }
      case (_, let of?): values = try value(of: of, as: function)
      case (_, nil): break
      }
      return .aggregate(
        AggregateInput(
          function: function, window: window, type: feature.type, values: values,
          passing: passing.flatMap { $0.setCount == $0.count ? nil : $0 }))
    }
  }

  private mutating func value(of expression: CompiledExpression) throws -> Column {
    if let found = values[expression.text] { return found }
    let value = try expression.evaluate(rows).canonicalized()
    values[expression.text] = value
    return value
  }

  /// The values in the type that the aggregate reads.
  private mutating func value(of expression: CompiledExpression, as function: AggregateFunction) throws -> Column {
    let value = try value(of: expression)
    let type = function.valueType(of: value.type)
    guard type != value.type else { return value }
    let key = "\(type) \(expression.text)"
    if let found = summed[key] { return found }
    let wide = try value.values(as: type)
    summed[key] = wide
    return wide
  }

  private mutating func passing(_ expression: CompiledExpression) throws -> Bitmap {
    if let found = filters[expression.text] { return found }
    let passing = try expression.evaluate(rows).trueBits
    filters[expression.text] = passing
    return passing
  }
}

extension CompiledView {
  /// What the view's `where`, its knowledge and its features read.
  var neededColumns: [String] {
    var columns = (knowledgeColumn.map { [$0] } ?? []) + (filter?.columns ?? [])
    for feature in features { columns += feature.columns }
    var seen: Set<String> = []
    return columns.filter { seen.insert($0).inserted }
  }

  package var title: String { "Feature view \(view.name)" }

  /// The order in which events are read: entity keys, event time, created time, what else makes a row unique. In a log that is
  /// the hidden key, whatever its rows are sorted by: of events of one time the one that was committed last is the latest.
  package var eventOrder: [String] {
    var seen: Set<String> = []
    let hidden = Array(source.primaryKey.suffix(LogKey.names.count)) == LogKey.names ? LogKey.names : []
    let order = keyColumns + [source.eventTime, source.createdTime].compactMap { $0 } + hidden + source.primaryKey
    return order.filter { seen.insert($0).inserted }
  }
}

extension Column {
  /// The rows of a bool column that are true, not false or null.
  var trueBits: Bitmap { validity.map { bits.intersection($0) } ?? bits }

  var firstNull: Int? { validity.flatMap { validity in (0..<count).first { !validity[$0] } } }

  /// Sets the flag of every row whose value differs from the one before.
  /// - Precondition: no nulls; as many flags as rows
  func markChanges(in flags: UnsafeMutableBufferPointer<Bool>) {
    precondition(flags.count == count)
    func mark<Element: BitwiseCopyable & Equatable>(_: Element.Type) {
      values(Element.self).withPointer { values in
        for row in 1..<max(count, 1) { flags[row] = flags[row] || values[row] != values[row - 1] }
      }
    }
    switch type {
    case .bool:
      let bits = bits
      for row in 1..<max(count, 1) where bits[row] != bits[row - 1] { flags[row] = true }
    case .string, .binary:
      let bytes = bytes
      for row in 1..<max(count, 1) where !flags[row] { flags[row] = !bytes[row].elementsEqual(bytes[row - 1]) }
    case .int8, .uint8: mark(UInt8.self)
    case .int16, .uint16: mark(UInt16.self)
    case .int32, .uint32, .float32, .date: mark(UInt32.self)
    case .int64, .uint64, .float64, .timestamp: mark(UInt64.self)
    case .decimal: mark(UInt128.self)
    case .float16, .fixedBinary, .time, .duration, .list, .map, .structure: preconditionFailure("Datasets hold no \(type)")
    }
  }
}

extension Column {
  /// A value for messages.
  fileprivate func text(at row: Int) -> String {
    switch scalar(at: row) {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    case .decimal(let value, let scale): NumberText.formatDecimal(value, scale: scale)
    case .string(let value): "'\(value)'"
    case .binary(let value): "\(value.count) bytes"
    case .date(let days): CivilTime.formatDate(days: Int64(days))
    case .timestamp(let ticks, let unit): CivilTime.formatTimestamp(ticks, unit)
    case .time, .duration, .list, .structure: "a value of \(type)"
    }
  }
}

extension Bitmap {
  /// One bit per flag. - Complexity: O(count), eight flags a step
  package init(flags: [Bool]) {
    let byteCount = (flags.count + 7) / 8
    let buffer = Buffer(byteCapacity: byteCount, zeroed: true)
    // SAFETY: the buffer has been made for this many bytes; a Bool is a byte of 0 or 1.
    let target = buffer.pointer.assumingMemoryBound(to: UInt8.self)
    flags.withUnsafeBytes { flags in
      for byte in 0..<flags.count / 8 {
        // The multiplication moves the lowest bit of every byte into the highest byte, the first lowest.
        let word = flags.loadUnaligned(fromByteOffset: byte &* 8, as: UInt64.self)
        target[byte] = UInt8(truncatingIfNeeded: (word &* 0x0102_0408_1020_4080) &>> 56)
      }
      for index in flags.count / 8 * 8..<flags.count { target[index / 8] |= flags[index] << UInt8(index % 8) }
    }
    self.init(BufferSlice(buffer, byteCount: byteCount), count: flags.count)
  }

  /// - Precondition: equal length
  func intersection(_ other: Bitmap) -> Bitmap {
    precondition(count == other.count)
    let byteCount = (count + 63) / 64 * 8
    let buffer = Buffer(byteCapacity: byteCount)
    for index in stride(from: 0, to: count, by: 64) {
      buffer.pointer.storeBytes(of: word(at: index) & other.word(at: index), toByteOffset: index / 8, as: UInt64.self)
    }
    return Bitmap(BufferSlice(buffer, byteCount: byteCount), count: count)
  }
}
