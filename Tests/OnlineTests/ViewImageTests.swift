import Columns
import Features
import Testing

@testable import Online

@Suite struct ViewImageTests {
  private static let views = ["sales", "known"]

  private func image(_ rowCount: Int = 60, view: String = "sales") throws -> [UInt8] {
    let history = OnlineHistory(seed: 7, rowCount: rowCount)
    let definitions = try DefinitionSet.parse(files: [("features.yaml", OnlineHistory.yaml)])
    let view = try definitions.compile(view: view, source: history.table("orders"))
    return try GenerationBuilder.encode(view: view, events: .build(view, from: history), buildTimeMicros: 10_000)
  }

  @Test func equalInputsGiveEqualBytes() throws {
    #expect(try image() == image())
    #expect(try Array(image().prefix(8)) == Array("ALMVIEW1".utf8))
  }

  @Test(arguments: [("sales", 12), ("known", 4)]) func everyFlippedByteIsFound(view: String, rowCount: Int) throws {
    let bytes = try image(rowCount, view: view)
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x41
      #expect(throws: OnlineError.self, "byte \(index)") { try ViewImage(bytes: BufferSlice(copying: damaged)) }
    }
  }

  @Test(arguments: views) func everyTruncationIsFound(view: String) throws {
    let bytes = try image(12, view: view)
    for count in 0..<bytes.count {
      #expect(throws: OnlineError.self) { try ViewImage(bytes: BufferSlice(copying: bytes.prefix(count))) }
    }
  }

  /// With checksums made right again only the checks of offsets and counts stand between damage and memory.
  @Test(arguments: views) func damageBehindValidChecksumsNeverCrashes(view: String) throws {
    let bytes = try image(40, view: view)
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    for _ in 0..<3_000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        // Mostly the header, the section table and the index, where damage is most dangerous.
        let end = Bool.random(using: &random) ? min(3_000, damaged.count) : damaged.count
        damaged[Int.random(in: 16..<end, using: &random)] = [0, 1, 0x7F, 0xFF, UInt8.random(in: 0...255, using: &random)]
          .randomElement(using: &random)!
      }
      repairChecksums(&damaged)
      guard let image = try? ViewImage(bytes: BufferSlice(copying: damaged)), image.descriptor.keyTypes == [.int64, .string] else {
        continue
      }
      for user in -2...3 {
        let values = try? image.lookup(keys: [.int(Int64(user)), .string("a")], at: image.buildTimeMicros)
        #expect(values.map { $0.count == image.descriptor.features.count } ?? true, "seed \(seed)")
      }
    }
  }

  private func repairChecksums(_ bytes: inout [UInt8]) {
    func checksum(_ range: Range<Int>) -> UInt64 {
      bytes.withUnsafeBytes { XXH3.hash64(UnsafeRawBufferPointer(rebasing: $0[range]), seed: 0) }
    }
    let body = checksum(64..<bytes.count)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: body, toByteOffset: 48, as: UInt64.self) }
    let header = checksum(0..<56)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: header, toByteOffset: 56, as: UInt64.self) }
  }

  @Test func unalignedBytesAreCopied() throws {
    let bytes = try image()
    let slice = BufferSlice(copying: [0] + bytes).dropFirst(byteCount: 1)
    #expect(try ViewImage(bytes: slice).descriptor.view == "sales")
  }

  @Test func keepsOnlyWhatLaterQuestionsNeed() throws {
    let history = OnlineHistory(seed: 3, rowCount: 500)
    let definitions = try DefinitionSet.parse(files: [("features.yaml", OnlineHistory.yaml)])
    let newest = try definitions.compile(view: "newest", source: history.table("orders"))
    let all = try ViewEvents.build(newest, from: history)
    let kept = all.retained(at: 100_000)
    #expect(kept.entityCount == 6 && kept.eventCount == 6)
    #expect(all.retained(at: -100_000).eventCount == all.eventCount)
    let recent = try definitions.compile(view: "recent", source: history.table("orders"))
    #expect(try ViewEvents.build(recent, from: history).retained(at: 100_000).entityCount == 0)
  }
}
