import Columns
import Glibc

package struct JSONLinesOptions: Sendable {
  /// The types wanted of columns, by name; keys that it does not name are inferred.
  package var types: Schema?
  /// As `CSVOptions.wholeNumberColumns`.
  package var wholeNumberColumns: Set<String> = []
  package var batchRowCount: Int
  /// How much of the file is read ahead for the keys and their types.
  package var sampleByteCount: Int

  /// Whether rows say which keys they do not have: a batch in which some do has one more column, `JSONLinesReader.absentName`.
  package var marksAbsentKeys = false

  /// The least text that is parsed as one piece of work. Tests set it, to put the ends of pieces anywhere.
  package var chunkByteCount = TextChunk.byteCount
  /// The longest record that is read, at most 1 GiB.
  package var recordByteCountMax = TextChunk.recordByteCountMax

  /// Far more than most files have, at little cost.
  package static let sampleByteCountDefault = 256 << 20

  package init(types: Schema? = nil, batchRowCount: Int = 64 << 10, sampleByteCount: Int = JSONLinesOptions.sampleByteCountDefault) {
    self.types = types
    self.batchRowCount = max(1, batchRowCount)
    self.sampleByteCount = max(1, sampleByteCount)
  }
}

/// Reads JSON Lines a batch at a time: one object a line, blank lines skipped, a missing key is null.
///
/// A first pass over the file, or its first `sampleByteCount` bytes, finds the keys in the order in which they first appear,
/// and the types of those that the options do not name: as for CSV no value is narrowed, and a column whose values do not
/// fit together holds their texts. Arrays are lists, objects structures. Strings are timestamps when all of the column have a
/// date, `T`, a time and an offset or `Z`; the strings `NaN`, `Infinity` and `-Infinity` are numbers beside numbers. Integers
/// are exact. In a longer file a value that the inferred type cannot hold, and a key that neither the sample nor the
/// options had, are errors that say so; columns of the options that the sample had not come last, and may be null throughout.
///
/// A map is read where the options say so, from an array of objects with the members `key` and `value`.
///
/// Memory follows the round of chunks that is parsed in parallel; the bytes may be a mapped file, whose pages before
/// `consumedByteCount` are not needed any more.
package struct JSONLinesReader {
  package let schema: Schema
  let bytes: BufferSlice
  let options: JSONLinesOptions
  private let keys: JSONKeys
  /// Columns whose type was inferred; those of strings hold the texts of other values.
  private let isInferred: [Bool]
  private var position: Int
  private var parsed: ParsedChunks

  /// - Throws: `TextError` of kind `malformed` for lines of the sample that are no objects.
  /// - Complexity: O(sample), on all processors
  package init(bytes: BufferSlice, options: JSONLinesOptions = JSONLinesOptions()) throws(TextError) {
    self.bytes = bytes
    self.options = options
    let start = bytes.withBytes { $0.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }
    try bytes.withBytes { (raw) throws(TextError) in try TextError.refuseUTF16(raw) }
    position = start
    parsed = ParsedChunks(consumedByteCount: start)
    var (members, sampleEnd) = try JSONLinesReader.survey(bytes, from: start, options)
    if members.objectCount == 0 || sampleEnd < bytes.byteCount, let types = options.types {
      for field in types.fields { members.insert(Array(field.name.utf8), types) }
    }
    guard members.evidence.count <= JSONLinesReader.keyCountMax else {
      throw TextError(.malformed, line: 1, "expected at most \(JSONLinesReader.keyCountMax) keys, found \(members.evidence.count)")
    }
    keys = members.keys
    isInferred = members.evidence.map { $0.wanted == nil }
    schema = Schema(members.fields(named: options.wholeNumberColumns))
  }

  /// The name of the last column of a batch some of whose rows lack keys, where the options ask for it: binary, null for a row
  /// with all keys, else one bit, from the least significant on, for each of the columns that the row lacks.
  package static let absentName = "_almanac_absent"

  /// Every row has a value for every key, so that many keys in few rows cost far more memory than text.
  private static let keyCountMax = 64 << 10
  /// Values of a batch: 32 MiB where each takes 8 bytes.
  private static let batchValueCountMax = 4 << 20

  private static func survey(
    _ bytes: BufferSlice, from start: Int, _ options: JSONLinesOptions
  ) throws(TextError) -> (members: JSONMembers, end: Int) {
    var chunks: [TextChunk] = []
    var position = start
    while position < bytes.byteCount && position - start < options.sampleByteCount {
      let byteCount = min(options.chunkByteCount, start + options.sampleByteCount - position)
      let end = try lineEnd(bytes, from: position, atLeast: byteCount, options)
      chunks.append(TextChunk(bytes, position..<end))
      position = end
    }
    let types = options.types
    let parts = try? parallelMap(chunks) { chunk in survey(chunk, types) }
    var members = JSONMembers()
    for (chunk, part) in zip(chunks, parts ?? []) {
      switch part {
      case .success(let found): members.formUnion(found)
      case .failure(let error): throw error.adding(lineCount: bytes.withBytes { TextError.lineCount(before: chunk.offset, of: $0) })
      }
    }
    return (members, position)
  }

  private static func survey(_ chunk: TextChunk, _ types: Schema?) -> Result<JSONMembers, TextError> {
    var members = JSONMembers()
    let failure = chunk.bytes.withBytes { raw -> TextError? in
      var place = JSONLinePlace(position: 0, line: 1)
      do throws(TextError) {
        while let (range, line) = place.nextLine(raw) {
          var scanner = JSONLineScanner(raw, start: range.lowerBound, end: range.upperBound, line: line)
          guard try scanner.begin() else { continue }
          try members.note(&scanner, types: types)
          try scanner.finish()
        }
        return nil
      } catch { return error }
    }
    return failure.map { .failure($0) } ?? .success(members)
  }

  /// The end of the line that holds the byte `atLeast` bytes further on.
  private static func lineEnd(
    _ bytes: BufferSlice, from start: Int, atLeast byteCount: Int, _ options: JSONLinesOptions
  ) throws(TextError) -> Int {
    let target = start + max(1, byteCount) - 1
    guard target < bytes.byteCount else { return bytes.byteCount }
    let end = bytes.withBytes { raw in
      // SAFETY: the search ends with the bytes.
      guard let base = raw.baseAddress, let found = memchr(base + target, 0x0A, raw.count - target) else { return raw.count }
      return UnsafeRawPointer(found) - base + 1
    }
    guard end - target <= options.recordByteCountMax else {
      let lineCount = bytes.withBytes { TextError.lineCount(before: start, of: $0) }
      let text = "a line from here on is longer than \(options.recordByteCountMax) bytes: expected one object a line"
      throw TextError(.malformed, line: lineCount + 1, text)
    }
    return end
  }

  /// Bytes of the file before this place are not needed any more: their rows have been handed out.
  package var consumedByteCount: Int { parsed.consumedByteCount }

  /// The next rows; nil at the end.
  /// - Throws: `TextError`; the reader must not be used any more then.
  package mutating func next() throws(TextError) -> Batch? {
    while true {
      if let batch = try parsed.pop() { return batch }
      if position >= bytes.byteCount { return nil }
      var chunks: [TextChunk] = []
      while chunks.count < ParsedChunks.roundChunkCount && position < bytes.byteCount {
        let end = try JSONLinesReader.lineEnd(bytes, from: position, atLeast: options.chunkByteCount, options)
        chunks.append(TextChunk(bytes, position..<end))
        position = end
      }
      let parser = JSONChunkParser(
        schema: schema, keys: keys, isInferred: isInferred,
        wholeNumbers: WholeNumberColumns(schema, isInferred, options.wholeNumberColumns),
        batchRowCount: min(options.batchRowCount, max(1, JSONLinesReader.batchValueCountMax / max(1, schema.fields.count))),
        isSampled: bytes.byteCount > options.sampleByteCount, marksAbsentKeys: options.marksAbsentKeys)
      let file = bytes
      parsed.fill(chunks) { chunk in
        do throws(TextError) {
          return .success(try parser.parse(chunk))
        } catch {
          return .failure(error.adding(lineCount: file.withBytes { TextError.lineCount(before: chunk.offset, of: $0) }))
        }
      }
    }
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
