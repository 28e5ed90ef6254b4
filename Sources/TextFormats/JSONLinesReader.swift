import Columns
import Glibc
import JSON

package struct JSONLinesOptions: Sendable {
  /// The types wanted of columns, by name; keys that it does not name are inferred.
  package var types: Schema?
  package var batchRowCount: Int

  package init(types: Schema? = nil, batchRowCount: Int = 64 << 10) {
    self.types = types
    self.batchRowCount = max(1, batchRowCount)
  }
}

/// Reads JSON Lines a batch at a time: one flat object a line, blank lines skipped, a missing key is null.
///
/// A first pass over the file finds the keys, in the order in which they first appear, and the types of those that the
/// options do not name: as for CSV no value is narrowed, and a column whose values do not fit together holds their texts.
/// Strings are timestamps when all of the column have a date, `T`, a time and an offset or `Z`; the strings `NaN`, `Infinity`
/// and `-Infinity` are numbers beside numbers. Integers are exact.
///
/// Memory follows the batch; the bytes may be a mapped file.
package struct JSONLinesReader {
  package let schema: Schema
  let bytes: BufferSlice
  let options: JSONLinesOptions
  private let keys: JSONKeys
  /// Columns of mixed values, which hold the texts of numbers and bools.
  private let holdsTexts: [Bool]
  private var place: JSONLinePlace

  /// - Throws: `TextError` of kind `malformed` for lines that are no objects, `badCell` for arrays and objects in them.
  /// - Complexity: O(bytes)
  package init(bytes: BufferSlice, options: JSONLinesOptions = JSONLinesOptions()) throws(TextError) {
    self.bytes = bytes
    self.options = options
    let start = bytes.withBytes { $0.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }
    place = JSONLinePlace(position: start, line: 1)
    var keys = JSONKeys()
    var evidence: [JSONEvidence] = []
    let first = place
    let rowCount = try bytes.withBytes { (raw) throws(TextError) in
      try JSONLinesReader.survey(raw, first, options.types, &keys, &evidence)
    }
    if rowCount == 0, let types = options.types {
      for field in types.fields { _ = keys.insert(Array(field.name.utf8)) }
      evidence += types.fields.map { JSONEvidence(wanted: $0.type) }
    }
    self.keys = keys
    holdsTexts = evidence.map { $0.wanted == nil }
    schema = Schema(zip(keys.names, evidence).map { Field(String(decoding: $0, as: UTF8.self), $1.type) })
  }

  private static func survey(
    _ raw: UnsafeRawBufferPointer, _ start: JSONLinePlace, _ types: Schema?, _ keys: inout JSONKeys, _ evidence: inout [JSONEvidence]
  ) throws(TextError) -> Int {
    var place = start
    var rowCount = 0
    while let (range, line) = place.nextLine(raw) {
      var scanner = JSONLineScanner(raw, start: range.lowerBound, end: range.upperBound, line: line)
      guard try scanner.begin() else { continue }
      rowCount += 1
      var expected = 0
      while let (key, value) = try scanner.next() {
        let index: Int
        if let found = keys.index(of: key, expected: expected) {
          index = found
        } else {
          guard let name = JSONText.plain(key) else {
            throw TextError(.malformed, line: line, column: scanner.column, "a member's name is not valid text")
          }
          // A name with escapes may be known in its plain form.
          index = keys.insert(name)
          if index == evidence.count {
            evidence.append(JSONEvidence(wanted: types?[String(decoding: name, as: UTF8.self)]?.type))
          }
        }
        expected = index + 1
        if evidence[index].wanted == nil { evidence[index].note(value) }
      }
    }
    return rowCount
  }

  /// The next rows; nil at the end.
  /// - Throws: `TextError`; the reader must not be used any more then.
  package mutating func next() throws(TextError) -> Batch? {
    let start = place
    let (batch, end) = try bytes.withBytes { (raw) throws(TextError) in try readBatch(raw, from: start) }
    place = end
    return batch
  }

  private func readBatch(_ raw: UnsafeRawBufferPointer, from start: JSONLinePlace) throws(TextError) -> (Batch?, JSONLinePlace) {
    var place = start
    // A row takes three bytes at least.
    let capacity = min(options.batchRowCount, (raw.count - start.position) / 3 + 1)
    var columns = schema.fields.map { RowColumn($0.type, capacity: capacity) }
    var row = 0
    while row < options.batchRowCount, let (range, line) = place.nextLine(raw) {
      var scanner = JSONLineScanner(raw, start: range.lowerBound, end: range.upperBound, line: line)
      guard try scanner.begin() else { continue }
      var expected = 0
      while let (key, value) = try scanner.next() {
        guard let index = keys.index(of: key, expected: expected) ?? JSONText.plain(key).flatMap({ keys.index(of: $0) }) else {
          throw TextError(.malformed, line: line, column: scanner.column, "the file changed while it was read")
        }
        expected = index + 1
        let name = schema.fields[index].name
        if columns[index].count > row {
          throw TextError(.malformed, line: line, column: scanner.column, fieldName: name, "the key stands twice in one object")
        }
        if let problem = JSONText.append(value, to: &columns[index], anyScalar: holdsTexts[index]) {
          let column = scanner.column - value.bytes.count - (value.isString ? 2 : 0)
          throw TextError(problem.kind, line: line, column: column, fieldName: name, problem.text)
        }
      }
      row += 1
      for index in columns.indices where columns[index].count < row { columns[index].appendNull() }
    }
    if row == 0 { return (nil, place) }
    return (Batch(schema: schema, columns: columns.map { $0.finish() }, rowCount: row), place)
  }
}

/// Where the next line starts.
struct JSONLinePlace {
  var position: Int
  var line: Int

  mutating func nextLine(_ raw: UnsafeRawBufferPointer) -> (range: Range<Int>, line: Int)? {
    guard position < raw.count, let base = raw.baseAddress else { return nil }
    let start = position
    // SAFETY: the search ends with the bytes.
    let found = memchr(base + start, 0x0A, raw.count - start)
    let end = found.map { UnsafeRawPointer($0) - base } ?? raw.count
    position = end + 1
    line += 1
    return (start..<end, line - 1)
  }
}

/// The keys of the objects, as bytes: strings that only look alike stay apart.
struct JSONKeys {
  private(set) var names: [[UInt8]] = []
  private var indices: [[UInt8]: Int] = [:]

  func index(of name: [UInt8]) -> Int? { indices[name] }

  /// - Parameter expected: where the key is looked for first, as objects mostly have one order of keys.
  func index(of key: JSONToken, expected: Int) -> Int? {
    if key.kind == .escapedString { return nil }
    if expected < names.count && names[expected].count == key.bytes.count && names[expected].elementsEqual(key.bytes) { return expected }
    return indices[Array(key.bytes)]
  }

  /// The index of a name, appended if it is new.
  mutating func insert(_ name: [UInt8]) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    return names.count - 1
  }
}
