import Columns
import Testing

@testable import Arrow

/// Serialized: the tests of releases count in one place.
@Suite(.serialized) struct CDataTests {
  private func export(_ batch: Batch) -> (UnsafeMutablePointer<CArrowArray>, UnsafeMutablePointer<CArrowSchema>) {
    let array = UnsafeMutablePointer<CArrowArray>.allocate(capacity: 1)
    let schema = UnsafeMutablePointer<CArrowSchema>.allocate(capacity: 1)
    CDataExport.export(batch, to: array)
    CDataExport.export(batch.schema, to: schema)
    return (array, schema)
  }

  @Test func structuresHaveTheLayoutOfTheSpecification() {
    #expect(MemoryLayout<CArrowSchema>.size == 72 && MemoryLayout<CArrowArray>.size == 80 && MemoryLayout<CArrowArrayStream>.size == 40)
    #expect(MemoryLayout<CArrowSchema>.offset(of: \.release) == 56 && MemoryLayout<CArrowSchema>.offset(of: \.children) == 40)
    #expect(MemoryLayout<CArrowArray>.offset(of: \.buffers) == 40 && MemoryLayout<CArrowArray>.offset(of: \.release) == 64)
    #expect(MemoryLayout<CArrowArrayStream>.offset(of: \.release) == 24)
  }

  @Test func everyTypeGoesThroughAndBack() throws {
    let seed: UInt64 = 11
    print("seed \(seed)")
    var random = SplitMix(state: seed)
    let whole = Sample.batch(rowCount: 40, &random)
    for batch in [whole, whole.slice(from: 3, count: 21), whole.slice(from: 0, count: 0)] {
      let (array, schema) = export(batch)
      let again = try CDataImport.batch(array, schema: schema)
      #expect(array.pointee.release == nil && schema.pointee.release == nil, "Both have been moved")
      #expect(again.schema == batch.schema && again.rowCount == batch.rowCount)
      for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, again.columns)) {
        #expect(a.equalsExactly(b), "\(field.name) \(field.type)")
      }
      array.deallocate()
      schema.deallocate()
    }
  }

  /// Slices that are exported, and arrays that begin behind their first value.
  @Test func slicesAtEveryOffsetGoThrough() throws {
    var random = SplitMix(state: 12)
    let batch = Sample.batch(rowCount: 90, &random)
    for start in 0...70 {
      let (array, schema) = export(batch.slice(from: start, count: 19))
      let (whole, wholeSchema) = export(batch)
      whole.pointee.offset = Int64(start)
      whole.pointee.count = 19
      let parts = [try CDataImport.batch(array, schema: schema), try CDataImport.batch(whole, schema: wholeSchema)]
      for part in parts {
        #expect(part.rowCount == 19)
        for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, part.columns)) {
          #expect(
            (0..<19).allSatisfy { "\(a.scalar(at: start + $0))" == "\(b.scalar(at: $0))" }, "\(field.name) \(field.type) from \(start)")
        }
      }
      for place in [array, whole] { place.deallocate() }
      for place in [schema, wholeSchema] { place.deallocate() }
    }
  }

  @Test func valuesAreSharedBothWays() throws {
    let schema = Schema([Field("i", .int64), Field("s", .string), Field("b", .bool)])
    let columns = [
      Column(.int64, [.int(1), .null]), Column(.string, [.string("a"), .string("b")]), Column(.bool, [.bool(true), .bool(false)]),
    ]
    let batch = Batch(schema: schema, columns: columns, rowCount: 2)
    let (array, exported) = export(batch)
    let again = try CDataImport.batch(array, schema: exported)
    for (a, b) in zip(batch.columns, again.columns) { #expect(a.data.start == b.data.start && a.offsets?.start == b.offsets?.start) }
    #expect(again.columns[0].validity?.slice.start == columns[0].validity?.slice.start)
    array.deallocate()
    exported.deallocate()
  }

  /// Bytes that count how often they are let go.
  private final class Counted {
    nonisolated(unsafe) static var releaseCount = 0
    let memory = UnsafeMutablePointer<Int64>.allocate(capacity: 2)
    init() { memory.initialize(repeating: 5, count: 2) }
    deinit {
      Counted.releaseCount += 1
      memory.deallocate()
    }
  }

  private func counted() -> Batch {
    let owner = Counted()
    let slice = BufferSlice(owner: owner, start: UnsafeRawPointer(owner.memory), byteCount: 16)
    return Batch(schema: Schema([Field("i", .int64)]), columns: [Column(type: .int64, count: 2, data: slice)], rowCount: 2)
  }

  @Test func memoryIsKeptUntilTheLastColumnIsGoneAndReleasedOnce() throws {
    Counted.releaseCount = 0
    var (array, schema) = export(counted())
    #expect(Counted.releaseCount == 0, "The exported array keeps its buffers")
    var batch: Batch? = try CDataImport.batch(array, schema: schema)
    var column = batch?.columns[0]
    batch = nil
    #expect(Counted.releaseCount == 0)
    #expect(column?.scalars == [.int(5), .int(5)])
    column = nil
    #expect(Counted.releaseCount == 1)
    // Released without having been read.
    (array, schema) = export(counted())
    array.pointee.release?(array)
    schema.pointee.release?(schema)
    #expect(Counted.releaseCount == 2 && array.pointee.release == nil && schema.pointee.release == nil)
    // An import that fails releases as well.
    (array, schema) = export(counted())
    array.pointee.count = -1
    #expect(throws: ArrowError.unsupported("Cannot import a batch: -1 values from 0 on, at most 2147483647 can be read")) {
      try CDataImport.batch(array, schema: schema)
    }
    #expect(Counted.releaseCount == 3)
    #expect(throws: ArrowError.malformed("Cannot import a batch: it has been released")) { try CDataImport.batch(array, schema: schema) }
  }

  @Test func childrenMayBeMovedOutOfAnArray() throws {
    Counted.releaseCount = 0
    let (array, schema) = export(counted())
    schema.pointee.release?(schema)
    let child = try #require(array.pointee.children?[0])
    let field = UnsafeMutablePointer<CArrowSchema>.allocate(capacity: 1)
    CDataExport.export(Field("i", .int64), to: field)
    var moved = child.pointee
    child.pointee.release = nil
    array.pointee.release?(array)
    #expect(Counted.releaseCount == 0)
    var column: Column? = try CDataImport.column(&moved, schema: field).column
    #expect(column?.scalars == [.int(5), .int(5)])
    column = nil
    #expect(Counted.releaseCount == 1)
  }

  @Test func streamsGiveBatchesThenNilOrTheirError() throws {
    let schema = Schema([Field("i", .int64)])
    func batch(_ value: Int64) -> Batch { Batch(schema: schema, columns: [Column(.int64, [.int(value)])], rowCount: 1) }
    var values: [Int64] = [1, 2]
    var stream = CArrowArrayStream()
    CDataExport.export(schema, to: &stream) { values.isEmpty ? nil : batch(values.removeFirst()) }
    let imported = try ImportedStream(moving: &stream)
    #expect(stream.release == nil && imported.schema == schema)
    #expect(try imported.next()?.columns[0].scalars == [.int(1)])
    #expect(try imported.next()?.columns[0].scalars == [.int(2)])
    #expect(try imported.next() == nil)
    CDataExport.export(schema, to: &stream) { throw ArrowError.malformed("the disk is on fire") }
    let failing = try ImportedStream(moving: &stream)
    #expect(throws: ArrowError.malformed("Cannot import a batch from a stream: the disk is on fire")) { try failing.next() }
  }
}
