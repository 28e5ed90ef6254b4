import Columns

/// The dictionaries of a stream or file, decoded, by id.
struct DictionaryStore: Sendable {
  private var fields: [Int64: ArrowField] = [:]
  /// Deltas are kept apart until a batch needs them: joining each one as it comes would cost the square of their number.
  private var parts: [Int64: [Column]] = [:]

  /// The ids whose values are decoded: those of fields that are read.
  private var wanted: Set<Int64> = []

  /// - Parameter projection: the numbers of the fields that are read.
  /// - Throws: if two fields use one id for values of different types.
  init(_ fields: [ArrowField], projection: [Int]) throws(ArrowError) {
    try add(projection.map { fields[$0] })
    wanted = Set(self.fields.keys)
    try add(fields)
  }

  private mutating func add(_ added: [ArrowField]) throws(ArrowError) {
    for field in added {
      try add(field.children)
      guard let encoding = field.dictionary else { continue }
      var values = field.dictionaryValues
      values = ArrowField(
        name: "dictionary \(encoding.id)", isNullable: true, layout: values.layout, type: values.type, children: values.children,
        dictionary: nil)
      if let other = fields[encoding.id], other.type != values.type || other.layout != values.layout || other.children != values.children {
        throw .malformed("field \(field.name): dictionary \(encoding.id) holds \(other.type) elsewhere, here \(values.type)")
      }
      fields[encoding.id] = values
    }
  }

  /// All dictionaries that have come so far.
  mutating func values() -> [Int64: Column] {
    for (id, columns) in parts where columns.count > 1 { parts[id] = [Column.concatenate(columns)] }
    return parts.compactMapValues(\.first)
  }

  mutating func read(_ message: ArrowMessage, _ decoder: ArrayDecoder, isReplacementAllowed: Bool) throws(ArrowError) {
    let found = try message.withHeader { (table) throws(ArrowError) -> (id: Int64, column: Column, isDelta: Bool)? in
      let id = try table.scalar(0, default: Int64(0))
      guard let field = fields[id] else { throw .malformed("dictionary \(id) belongs to no field") }
      guard wanted.contains(id) else { return nil }
      guard let batch = try table.table(1) else { throw .malformed("dictionary \(id) has no values") }
      // Values may themselves hold indices into other dictionaries, which have come before.
      let known = field.children.isEmpty ? [:] : values()
      var reader = try RecordBatchDecoder(batch, body: message.body)
      var array = try reader.array(field, dictionaries: known)
      if let codec = reader.codec { array = try array.decompressed(BodyCodec(decoding: codec)) }
      return (id, try decoder.column(field, decoder.owned(array)), try table.bool(2))
    }
    guard let (id, column, isDelta) = found else { return }
    let before = (parts[id] ?? []).reduce(0) { $0 + $1.count }
    guard isDelta || before == 0 || isReplacementAllowed else { throw .malformed("dictionary \(id) comes twice in a file") }
    guard !isDelta || before + column.count <= ArrayData.countMax else {
      throw .unsupported("dictionary \(id) has more than \(ArrayData.countMax) values")
    }
    // Nulls take no bytes in the file, and dictionaries are joined in memory.
    if fields[id]?.layout == .null { try decoder.checkExpanded(byteCount: (before + column.count) * 4) }
    if isDelta { parts[id, default: []].append(column) } else { parts[id] = [column] }
  }
}
