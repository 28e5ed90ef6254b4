import Columns
import Foundation
import History
import Objects
import Testing

@testable import Parquet
@testable import Tables

/// A leaf with a flipped bit gives the rows that were written, or an error, wherever the bit is.
@Suite struct LeafDamageTests {
  private static let layout = TableLayout(
    schema: Schema([
      Field("id", .int64, isNullable: false, id: 1), Field("city", .string, id: 2), Field("note", .string, id: 3),
      Field("flag", .bool, id: 4), Field("amount", .float64, id: 5), Field("price", .decimal(precision: 12, scale: 2), id: 6),
      Field("day", .date, id: 7), Field("small", .int16, isNullable: false, id: 8),
    ]), primaryKey: ["id"], eventTime: nil, createdTime: nil, partitioning: .none, leafRowCount: 64)

  private static func batch(rowCount: Int) -> Batch {
    var random = SeededRandom(seed: 7)
    let cities = ["Brno", "Praha", "Ostrava"]
    let rows = (0..<rowCount).map { number -> [Scalar] in
      let note: Scalar = number % 7 == 0 ? .null : .string("note \(number * 7919)")
      let flag: Scalar = number % 5 == 0 ? .null : .bool(number % 2 == 0)
      let day: Scalar = number % 4 == 0 ? .null : .date(Int32(20_000 + number))
      let price = Scalar.decimal(Int128(number * 101), scale: 2)
      let amount = Scalar.double(Double.random(in: -1...1, using: &random))
      return [.int(Int64(number * 3)), .string(cities[number % 3]), note, flag, amount, price, day, .int(Int64(number % 300))]
    }
    let fields = layout.schema.fields
    return Batch(
      schema: layout.schema, columns: fields.indices.map { column in Column(fields[column].type, rows.map { $0[column] }) },
      rowCount: rowCount)
  }

  /// What is read of a file whose bytes are these: all rows, and some of them; nil where it is refused.
  private static func read(_ bytes: [UInt8], name: [UInt8]) -> [LeafID]? {
    let file = bytes.withUnsafeBytes { MappedFile(copying: $0) }
    guard let rows = try? StoredRows("leaf", file: file, sealedName: name), let all = try? rows.read(layout.schema.fields),
      let some = try? rows.read(layout.schema.fields, rows: 37..<53)
    else { return nil }
    return [LeafIdentity(all).id, LeafIdentity(some).id]
  }

  private static func file(_ batch: Batch, pageRowCount: Int) throws -> (bytes: [UInt8], name: [UInt8]) {
    let name = LeafIdentity(batch).id.bytes
    var options = ParquetWriterOptions.leaf(keyColumns: [0], name: name)
    options.pageRowCount = pageRowCount
    return (try ParquetWriter.file(of: batch, options: options).withBytes { Array($0) }, name)
  }

  @Test func everyFlippedBitIsSeenOrChangesNothing() throws {
    let batch = Self.batch(rowCount: 60)
    let (bytes, name) = try Self.file(batch, pageRowCount: 16)
    let right = try #require(Self.read(bytes, name: name))
    // Nothing hangs on the four letters in front, and a seal that is no seal is none.
    let seal = bytes.count - 8 - Self.footerByteCount(bytes) - FileSeal.byteCount
    let silent = Set(Array(0..<4) + Array(seal..<seal + FileSeal.magic.count))
    var wrong: [String] = []
    var unseen: Set<Int> = []
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let found = Self.read(damaged, name: name) else { continue }
      unseen.insert(bit / 8)
      if found != right { wrong.append("byte \(bit / 8), bit \(bit % 8)") }
    }
    #expect(wrong == [])
    #expect(unseen == silent)
  }

  private static func footerByteCount(_ bytes: [UInt8]) -> Int {
    bytes.suffix(8).withUnsafeBytes { Int($0.loadUnaligned(as: UInt32.self)) }
  }

  @Test func aLeafOfAnotherNameIsRefused() throws {
    let batch = Self.batch(rowCount: 60)
    let (bytes, name) = try Self.file(batch, pageRowCount: 16)
    #expect(Self.read(bytes, name: name) != nil)
    let other = try Self.file(batch.slice(from: 0, count: 59), pageRowCount: 16)
    #expect(Self.read(other.bytes, name: other.name) != nil)
    #expect(Self.read(other.bytes, name: name) == nil)
    let file = other.bytes.withUnsafeBytes { MappedFile(copying: $0) }
    #expect {
      _ = try StoredRows("leaf 1", file: file, sealedName: name)
    } throws: {
      "\($0)".contains("Cannot read leaf 1: its page indexes and footer are not those that were written under this name")
    }
  }

  /// As earlier versions wrote them.
  @Test func aLeafWithoutASealIsRead() throws {
    let batch = Self.batch(rowCount: 60)
    let (sealed, name) = try Self.file(batch, pageRowCount: 16)
    var options = ParquetWriterOptions.leaf(keyColumns: [0])
    options.pageRowCount = 16
    let plain = try ParquetWriter.file(of: batch, options: options).withBytes { Array($0) }
    #expect(plain.count < sealed.count)
    #expect(Self.read(plain, name: name) == Self.read(sealed, name: name))
    #expect(Self.read(plain, name: name)?.first?.bytes == name)
  }

  /// Leaves and tails that the writer stores have one.
  @Test func whatIsStoredIsSealed() throws {
    let fixture = try TableFixture()
    var random = SeededRandom(seed: 3)
    let rows = TableFixture.randomRows(300, using: &random)
    let policy = TailPolicy(rewrittenRowCountMin: 1, rewrittenRowFactor: 1, mergeCount: 99, sizeClassFactor: 4, foldFactor: 1)
    let writer = TableWriter(archive: fixture.archive, layout: fixture.layout, policy: policy)
    var version: TableVersion?
    for part in [rows[..<290], rows[290...]] {
      guard case .content(let content) = try writer.apply(.append, fixture.batch(Array(part)), onto: version) else {
        throw TableError(.input, "The change conflicts")
      }
      version = try fixture.publish(content)
    }
    let second = try #require(version)
    let leaves = try second.leaves()
    #expect(leaves.count > 3)
    for leaf in leaves {
      let file = try fixture.archive.mapLeaf(leaf.id)
      var reader = try ParquetReader(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
      #expect(try reader.checkSeal(name: leaf.id.bytes))
    }
    let tails = second.tails.entries
    #expect(!tails.isEmpty)
    for tail in tails {
      let file = try fixture.archive.mapTail(tail.id)
      var reader = try ParquetReader(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
      #expect(try reader.checkSeal(name: tail.id.bytes))
    }
  }
}
