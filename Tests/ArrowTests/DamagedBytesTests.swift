import Columns
import Testing

@testable import Arrow

@Suite struct DamagedBytesTests {
  /// Reads everything, also the values; any outcome but a typed error or a batch traps.
  static func exercise(_ bytes: [UInt8]) {
    guard var reader = try? ArrowReader(bytes: BufferSlice(copying: bytes), expandedByteCountMax: 1 << 20) else { return }
    while let batch = try? reader.next() {
      for column in batch.columns where column.count < 1000 { _ = column.scalars.count }
    }
  }

  @Test(arguments: ["flat.arrow", "nested.arrow", "nested_lz4.arrow", "dictionary_delta.arrows", "dictionary_nested.arrow", "polars.arrow"])
  func everyCutIsSurvived(name: String) {
    let bytes = Fixture.bytes(name)
    for count in stride(from: 0, to: bytes.count, by: 61) { Self.exercise(Array(bytes[..<count])) }
  }

  @Test(arguments: [
    "nested.arrow", "nested_zstd.arrow", "dictionary_delta.arrows", "dictionary_nested.arrow", "polars_lz4.arrows", "flat.arrows",
  ])
  func changedBytesAreSurvived(name: String) {
    let seed: UInt64 = 31
    print("seed \(seed)")
    var random = SplitMix(state: seed)
    let bytes = Fixture.bytes(name)
    for _ in 0..<150 {
      var damaged = bytes
      for _ in 0..<(1 + random.next() % 3) {
        let place = Int(random.next() % UInt64(bytes.count))
        damaged[place] = [0, 0xFF, 0x7F, 0x80, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 5)]
      }
      Self.exercise(damaged)
    }
  }

  /// Found by fuzzing: dictionaries of structures without fields, and of nulls, whose number no buffer bounds.
  @Test(arguments: ["finding_empty_structures.arrows", "finding_null_dictionary.arrows"])
  func valuesWithoutBytesAreBounded(name: String) throws {
    var reader = try ArrowReader(
      bytes: BufferSlice(copying: Fixture.bytes(name)), expandedByteCountMax: 64 << 20)
    let error = #expect(throws: ArrowError.self) { while try reader.next() != nil {} }
    #expect(error?.kind == .unsupported)
    #expect(error?.description.contains("more than the allowed 67108864") == true)
  }

  private func error(_ bytes: [UInt8]) -> String? {
    do throws(ArrowError) {
      _ = try readAll(bytes)
      return nil
    } catch {
      return error.text
    }
  }

  @Test func wrongBytesAreNamed() {
    #expect(error([]) == "Cannot read Arrow data: the bytes end before the schema")
    #expect(error([1, 2]) == "Cannot read Arrow data: message at byte 0: the bytes end within its length")
    #expect(error(Array("FEA1....".utf8)) == "Cannot read Arrow data: the file is Feather version 1, expected Arrow IPC")
    let file = Fixture.bytes("flat.arrow")
    #expect(error(Array(file.dropLast())) == "Cannot read Arrow data: the file does not end with ARROW1, perhaps it is cut off")
    let stream = Fixture.bytes("sliced.arrows")
    #expect(error(Array(stream.dropLast(9)))?.hasPrefix("Cannot read Arrow data: batch 0: message at byte ") == true)
    #expect(error(Array(stream.dropLast(8))) == nil, "A stream may end without its mark")
  }

  @Test func otherVersionsAreRefused() {
    // A stream of one message whose version is the greatest 16-bit number, once an overflow.
    let metadata = FlatWriter.encode([FlatSlot(0, .int16(.max)), FlatSlot(1, .uint8(1)), FlatSlot(2, .table([]))])
    let bytes = withUnsafeBytes(of: Int32(metadata.count)) { Array($0) } + metadata
    #expect(error(bytes) == "Cannot read Arrow data: message at byte 0: metadata version V32768, expected V4 or V5")
  }

  @Test func aNameThatAllFieldsShareIsNotCopiedForEach() throws {
    // 500 fields that refer to one name of 100,000 bytes: offsets of a FlatBuffer may meet.
    func field(_ name: String) -> [FlatSlot] {
      [FlatSlot(0, .string(name)), FlatSlot(2, .uint8(6)), FlatSlot(3, .table([])), FlatSlot(5, .tables([]))]
    }
    let long = field(String(repeating: "n", count: 100_000))
    var bytes = FlatWriter.encode([FlatSlot(1, .tables([[FlatSlot]](repeating: field("x"), count: 500) + [long]))])
    func decode() throws -> Int {
      var decoder = SchemaDecoder(metadataByteCount: bytes.count)
      return try bytes.withUnsafeBytes { (bytes) throws(ArrowError) in try decoder.fields(of: try FlatTable(root: bytes)).count }
    }
    #expect(try decode() == 501)
    func word(_ place: Int) -> Int { bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: place, as: UInt32.self)) } }
    let target = try #require(
      stride(from: 0, to: bytes.count - 4, by: 4).first { word($0) == 100_000 && bytes[$0 + 4] == UInt8(ascii: "n") })
    for place in stride(from: 0, to: target, by: 4) where place + word(place) < target {
      let text = place + word(place)
      guard word(text) == 1, bytes[text + 4] == UInt8(ascii: "x"), bytes[text + 5] == 0 else { continue }
      withUnsafeBytes(of: UInt32(target - place)) { bytes.replaceSubrange(place..<(place + 4), with: $0) }
    }
    let expected = "the names of the fields take more bytes than the schema can hold"
    #expect(throws: ArrowError.malformed(expected)) { try decode() }
  }

  /// The decoder's answer to an array of one field.
  private func error(_ layout: ArrowLayout, _ type: DataType, _ data: ArrayData, children: [ArrowField] = [], isNullable: Bool = true)
    -> String?
  {
    let field = ArrowField(name: "a", isNullable: isNullable, layout: layout, type: type, children: children)
    do throws(ArrowError) {
      _ = try ArrayDecoder(expandedByteCountMax: 1000).column(field, data)
      return nil
    } catch {
      return error.text
    }
  }

  private func slice<T: FixedWidthInteger>(_ values: [T]) -> BufferSlice { values.withUnsafeBytes { BufferSlice(copying: $0) } }

  @Test func arraysThatContradictThemselvesAreRefused() {
    let text = ArrowLayout.bytes(isText: true, isLarge: false)
    let abc = slice(Array("abc".utf8))
    func offsets(_ values: [Int32]) -> ArrayData { ArrayData(count: values.count - 1, buffers: [.empty, slice(values), abc]) }
    #expect(error(text, .string, offsets([0, 2, 3])) == nil)
    #expect(error(text, .string, offsets([0, 2, 1])) == "column a: the offsets do not ascend from 0 to at most 3")
    #expect(error(text, .string, offsets([-1, 2, 3])) == "column a: the offsets do not ascend from 0 to at most 3")
    #expect(error(text, .string, offsets([0, 2, 4])) == "column a: the offsets do not ascend from 0 to at most 3")
    #expect(
      error(text, .string, ArrayData(count: 2, buffers: [.empty, slice([0, 1] as [Int32]), abc]))
        == "column a: 3 offsets need 12 bytes, found 8")
    let half = ArrayData(count: 2, buffers: [.empty, slice([0, 1, 2] as [Int32]), slice(Array("ß".utf8))])
    #expect(error(text, .string, half) == "column a: the string in row 0 is not valid UTF-8")
    #expect(
      error(.fixed(byteWidth: 4), .int32, ArrayData(count: 3, buffers: [.empty, slice([1, 2] as [Int32])]))
        == "column a: 3 values of 4 bytes need 12 bytes, found 8")
    let nulls = ArrayData(count: 2, buffers: [slice([1] as [UInt8]), slice([1, 2] as [Int32])])
    #expect(
      error(.fixed(byteWidth: 4), .int32, nulls, isNullable: false)
        == "column a: the schema says that no value is null, but 1 of 2 are")
    let view = ArrayData(count: 1, buffers: [.empty, slice([13, 0, 0, 1] as [Int32]), slice([UInt8](repeating: 65, count: 13))])
    #expect(
      error(.view(isText: true), .string, view) == "column a: the view in row 0, 13 bytes at byte 1 of buffer 0, lies outside the data")
    let noon = ArrayData(count: 1, buffers: [.empty, slice([43_200_000] as [Int64])])
    #expect(error(.dateMillis, .date, noon) == "column a: the date in row 0, 43200000 ms, is no whole number of days that fits 32 bits")
  }

  @Test func sharedValuesCannotGrowWithoutBound() {
    var field = ArrowField(name: "a", isNullable: true, layout: .bytes(isText: true, isLarge: true), type: .string, children: [])
    field.dictionary = DictionaryEncoding(id: 0, byteWidth: 1, isSigned: true)
    let word = Column(.string, [.string(String(repeating: "x", count: 100))])
    let decoder = ArrayDecoder(expandedByteCountMax: 1000)
    func indices(_ values: [Int8]) -> ArrayData { ArrayData(count: values.count, buffers: [.empty, slice(values)], dictionary: word) }
    #expect(throws: ArrowError.unsupported("column a: the decoded values take 1080 bytes, more than the allowed 1000")) {
      try decoder.column(field, indices([Int8](repeating: 0, count: 100)))
    }
    #expect(throws: ArrowError.malformed("column a: the index in row 1, 1, lies outside the dictionary of 1 values")) {
      try decoder.column(field, indices([0, 1]))
    }
    #expect(throws: ArrowError.malformed("column a: the index in row 0, -1, lies outside the dictionary of 1 values")) {
      try decoder.column(field, indices([-1]))
    }
    let ends = ArrowField(name: "run_ends", isNullable: false, layout: .fixed(byteWidth: 4), type: .int32, children: [])
    let runs = ArrayData(
      count: 2_000_000_000, buffers: [],
      children: [
        ArrayData(count: 1, buffers: [.empty, slice([2_000_000_000] as [Int32])]),
        ArrayData(count: 1, buffers: [.empty, slice([1] as [Int32])]),
      ])
    #expect(
      error(.runEndEncoded, .int32, runs, children: [ends, ends])
        == "column a: the decoded values take 8000000000 bytes, more than the allowed 1000")
  }

  @Test func aMillionNullsTakeNoMemory() throws {
    let field = ArrowField(name: "a", isNullable: true, layout: .null, type: .int32, children: [])
    let column = try ArrayDecoder(expandedByteCountMax: 1000).column(field, ArrayData(count: 1 << 24, buffers: []))
    #expect(column.nullCount == 1 << 24 && column.scalar(at: 1 << 20) == .null)
  }
}
