import Columns
import JSON

/// The fields of one column in a block of records, and what they are worth.
struct CSVColumnCells {
  // SAFETY: a view that lives inside the call which holds the chunk and the block of cells; see `CSVTokenizer` for the cells.
  // The chunk has slack behind it, so that number kernels may load whole words.
  let base: UnsafeRawPointer
  let cells: UnsafePointer<UInt32>
  let stride: Int
  let count: Int
  let isASCII: Bool
  let nullTokens: NullTokens

  /// A field as it stands in the file, with its quotes.
  @inline(__always) func raw(_ row: Int) -> (start: UnsafeRawPointer, length: Int) {
    let cell = cells + row &* stride
    let start = cell[0] &+ 1
    return (base + Int(start), Int(cell[1] &- start))
  }

  func rawBytes(_ row: Int) -> UnsafeRawBufferPointer {
    let (start, length) = raw(row)
    return UnsafeRawBufferPointer(start: start, count: length)
  }

  @inline(__always) static func isQuoted(_ start: UnsafeRawPointer, _ length: Int) -> Bool {
    length >= 2 && start.load(as: UInt8.self) == CSVText.quote
  }

  /// What a field says, without quotes; nil for null: no bytes or a null token without quotes.
  @inline(__always) func text(_ row: Int) -> (start: UnsafeRawPointer, length: Int, isQuoted: Bool)? {
    let (start, length) = raw(row)
    if length == 0 { return nil }
    if CSVColumnCells.isQuoted(start, length) { return (start + 1, length &- 2, true) }
    return nullTokens.contains(start, length) ? nil : (start, length, false)
  }

  /// Converts all fields to the column's type. Integers may be written as `1.0` and `1e3`.
  /// - Parameter isGuessed: the type was inferred without these fields: one that it would narrow has not the type.
  /// - Returns: the row of the first field that has not the type; nil when all have.
  func append(to column: inout RowColumn, isGuessed: Bool = false) -> Int? {
    if isGuessed, column.type == .int64 || column.type == .uint64 || column.type == .float64 { return guessed(&column) }
    switch column.type {
    case .bool: return bools(&column)
    case .int8: return integers(&column, Int8.self)
    case .int16: return integers(&column, Int16.self)
    case .int32: return integers(&column, Int32.self)
    case .int64, .duration: return values(&column, Int64.self) { CSVColumnCells.integer($0, $1) }
    case .uint8: return integers(&column, UInt8.self)
    case .uint16: return integers(&column, UInt16.self)
    case .uint32: return integers(&column, UInt32.self)
    case .uint64: return values(&column, UInt64.self) { CSVColumnCells.unsigned($0, $1) }
    case .float16: return values(&column, Float16.self) { TextNumbers.half(UnsafeRawBufferPointer(start: $0, count: $1)) }
    case .float32: return values(&column, Float.self) { TextNumbers.float(UnsafeRawBufferPointer(start: $0, count: $1)) }
    case .float64: return values(&column, Double.self) { TextNumbers.double($0, $1) }
    case .decimal(let precision, let scale):
      return values(&column, Int128.self) { TextNumbers.decimal($0, $1, precision: precision, scale: scale) }
    case .date:
      var dates = DateCache()
      return values(&column, Int32.self) { TextTimes.days($0, $1, &dates) }
    case .timestamp(let unit, _):
      var dates = DateCache()
      return values(&column, Int64.self) { TextTimes.ticks($0, $1, unit, &dates) }
    case .time(let unit):
      if column.type.byteWidth == 8 {
        return values(&column, Int64.self) { TimeOfDay.parse(UnsafeRawBufferPointer(start: $0, count: $1), unit) }
      }
      return values(&column, Int32.self) {
        TimeOfDay.parse(UnsafeRawBufferPointer(start: $0, count: $1), unit).flatMap { Int32(exactly: $0) }
      }
    case .string: return strings(&column)
    case .binary, .fixedBinary: return binary(&column)
    case .list, .map, .structure: return nested(&column)
    }
  }

  @inline(__always) private func integers<Value: FixedWidthInteger & BitwiseCopyable>(_ column: inout RowColumn, _: Value.Type) -> Int? {
    values(&column, Value.self) { CSVColumnCells.integer($0, $1).flatMap { Value(exactly: $0) } }
  }

  @inline(__always) private static func integer(_ start: UnsafeRawPointer, _ length: Int) -> Int64? {
    TextNumbers.integer(start, length) ?? WholeNumber.parse(UnsafeRawBufferPointer(start: start, count: length), as: Int64.self)
  }

  @inline(__always) private static func unsigned(_ start: UnsafeRawPointer, _ length: Int) -> UInt64? {
    let bytes = UnsafeRawBufferPointer(start: start, count: length)
    return NumberText.parseUInt64(bytes) ?? WholeNumber.parse(bytes, as: UInt64.self)
  }

  /// Numbers of types that were inferred from other fields.
  private func guessed(_ column: inout RowColumn) -> Int? {
    switch column.type {
    case .int64:
      return values(&column, Int64.self) {
        ColumnEvidence.isMarked(UnsafeRawBufferPointer(start: $0, count: $1)) ? nil : CSVColumnCells.integer($0, $1)
      }
    case .uint64:
      return values(&column, UInt64.self) {
        ColumnEvidence.isMarked(UnsafeRawBufferPointer(start: $0, count: $1)) ? nil : CSVColumnCells.unsigned($0, $1)
      }
    default:
      return values(&column, Double.self) { start, length in
        TextNumbers.double(start, length).flatMap {
          ColumnEvidence.isNarrowed(UnsafeRawBufferPointer(start: start, count: length), to: $0) ? nil : $0
        }
      }
    }
  }

  @inline(__always) private func values<Value: BitwiseCopyable>(
    _ column: inout RowColumn, _: Value.Type, _ parse: (UnsafeRawPointer, Int) -> Value?
  ) -> Int? {
    let hasTokens = !nullTokens.isEmpty
    return column.appendRows(count, Value.self) { target, setNull in
      for row in 0..<count {
        let (start, length) = raw(row)
        if length == 0 {
          setNull(row)
        } else if hasTokens && nullTokens.contains(start, length) {
          setNull(row)
        } else if let value = parse(start, length) {
          target[row] = value
        } else if CSVColumnCells.isQuoted(start, length) {
          // A number or time in quotes is one too; the empty string is none.
          if length == 2 {
            setNull(row)
          } else if let value = parse(start + 1, length &- 2) {
            target[row] = value
          } else {
            return row
          }
        } else {
          return row
        }
      }
      return nil
    }
  }

  private func bools(_ column: inout RowColumn) -> Int? {
    for row in 0..<count {
      guard let (start, length, _) = text(row), length > 0 else {
        column.appendNull()
        continue
      }
      // SAFETY: eight bytes may be loaded from any field.
      let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
      if length == 4 && word & 0xFFFF_FFFF == 0x6575_7274 {
        column.append(bool: true)
      } else if length == 5 && word & 0xFF_FFFF_FFFF == 0x65_736C_6166 {
        column.append(bool: false)
      } else if length == 1 && (word & 0xFE) == 0x30 {
        column.append(bool: word & 1 == 1)
      } else if let value = NumberText.parseBool(UnsafeRawBufferPointer(start: start, count: length)) {
        column.append(bool: value)
      } else {
        return row
      }
    }
    return nil
  }

  private func strings(_ column: inout RowColumn) -> Int? {
    for row in 0..<count {
      guard let (start, length, isQuoted) = text(row) else {
        column.appendNull()
        continue
      }
      let bytes = UnsafeRawBufferPointer(start: start, count: length)
      if !isASCII && !UTF8Text.isASCII(bytes) && !UTF8Text.isValid(bytes) { return row }
      if isQuoted && bytes.contains(CSVText.quote) {
        CSVText.unescaped(bytes).withUnsafeBytes { column.append(bytes: $0) }
      } else {
        column.append(slackBytes: start, byteCount: length)
      }
    }
    return nil
  }

  private func binary(_ column: inout RowColumn) -> Int? {
    for row in 0..<count {
      guard let (start, length, _) = text(row) else {
        column.appendNull()
        continue
      }
      guard let decoded = Base64.decode(UnsafeRawBufferPointer(start: start, count: length)) else { return row }
      if case .fixedBinary(let width) = column.type {
        guard decoded.count == width else { return row }
        decoded.withUnsafeBytes { column.append(fixed: $0) }
      } else {
        decoded.withUnsafeBytes { column.append(bytes: $0) }
      }
    }
    return nil
  }

  /// A list, map or structure is JSON text in one field.
  private func nested(_ column: inout RowColumn) -> Int? {
    for row in 0..<count {
      guard let (start, length, isQuoted) = text(row), length > 0 else {
        column.appendNull()
        continue
      }
      let bytes = UnsafeRawBufferPointer(start: start, count: length)
      let isRead =
        isQuoted
        ? TextChunk.padded(CSVText.unescaped(bytes)).withBytes { read($0, &column) }
        : read(bytes, &column)
      guard isRead else { return row }
    }
    return nil
  }

  private func read(_ bytes: UnsafeRawBufferPointer, _ column: inout RowColumn) -> Bool {
    var scanner = JSONLineScanner(bytes, start: 0, end: bytes.count, line: 1)
    do throws(TextError) {
      try JSONNestedReader(anyScalar: false).append(&scanner, to: &column.nested!)
      try scanner.finish()
    } catch {
      return false
    }
    column.noteNested()
    return true
  }
}

/// The texts that stand for null besides the empty field, where they are not in quotes.
struct NullTokens: Sendable {
  private let tokens: [[UInt8]]
  private let lengthMax: Int

  init(_ tokens: [String]) {
    self.tokens = tokens.map { Array($0.utf8) }.filter { !$0.isEmpty }
    lengthMax = self.tokens.map(\.count).max() ?? 0
  }

  @inline(__always) var isEmpty: Bool { lengthMax == 0 }

  @inline(__always) func contains(_ start: UnsafeRawPointer, _ length: Int) -> Bool {
    length <= lengthMax && matches(UnsafeRawBufferPointer(start: start, count: length))
  }

  private func matches(_ bytes: UnsafeRawBufferPointer) -> Bool { tokens.contains { $0.elementsEqual(bytes) } }
}
