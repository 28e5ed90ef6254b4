import JSON
import Objects
import Testing

@testable import History

@Suite struct ObjectEncodingTests {
  /// The numbers of docs/format/repository.md.
  @Test func idsOfTheTestVectors() throws {
    var draft = Draft()
    let tree = draft.addPartitionTree((0..<1000).map(vectorLeaf))
    let root = draft.addRoot(
      schema: ["a": "int64"], layout: ["leafRows": 4096], partitions: [PartitionEntry(number: 0, tree: tree, rowCount: 2000)])
    #expect(root.hex == "4febdaf71f6e3dbc2cf04b2838027efc75d4058277e25ddc444ab3d0e582a3b7")
    let definitions = draft.addBlob(Array("{}".utf8))
    let commit = Commit(
      parents: [], datasets: ["t": DatasetRef(root: root, rows: 2000)], definitions: definitions, author: "a", message: "m",
      timeMicros: 1)
    #expect(
      String(decoding: commit.canonicalBytes, as: UTF8.self)
        == #"{"author":"a","datasets":{"t":{"root":"4febdaf71f6e3dbc2cf04b2838027efc75d4058277e25ddc444ab3d0e582a3b7","#
        + #""rows":2000}},"definitions":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a""#
        + #","format":1,"inputs":[],"message":"m","parents":[],"producer":{},"time":1}"#
    )
    #expect(draft.addCommit(commit).hex == "1c5011816612c81dabab0a2368118ba1904d2993e41a10ffcff4208ed57f33ee")
    #expect(commit.id.hex == "1c5011816612c81dabab0a2368118ba1904d2993e41a10ffcff4208ed57f33ee")
    let pack = Pack([(.blob, definitions.hash, Array("{}".utf8))])
    #expect(pack.name == "f922ed9f944fc4b9e3fa8a0384864567f0cd5ee714715638ac94dcc98d66fdf4")
    #expect(pack.bytes.count == 92)
    let record = RefLogFile.record(
      RefLogRecord(
        sequence: 1, ref: "main", refKind: 0, old: nil, new: commit.id.bytes, timeMicros: 1_769_904_000_000_000, reason: "first"))
    #expect(record.count == 4 + 172 + 8)
    #expect(record.suffix(8) == [0x84, 0x4A, 0x31, 0x09, 0x7C, 0x9C, 0x60, 0x3A])
  }

  @Test func commitRoundTrips() throws {
    let id = CommitID(bytes: Checksum.sha256([1]))
    let commit = Commit(
      parents: [id, CommitID(bytes: zeros)],
      datasets: ["a": DatasetRef(root: RootID(bytes: zeros), rows: 0), "b/ü": DatasetRef(root: RootID(hash: id.hash), rows: 7)],
      definitions: BlobID(bytes: zeros), author: "Ada <ada@example.org>", message: "line\n\"quoted\" 👩🏽‍🔬", timeMicros: -5,
      inputs: [["file": "a.csv", "sha256": "00"]], producer: ["program": "almanac", "seed": 1.5], verdicts: BlobID(hash: id.hash))
    #expect(try Commit(decoding: commit.canonicalBytes, object: "c") == commit)
  }

  @Test func damagedCommitsAreRefusedWithTheMember() {
    func text(_ json: String) -> String? {
      storeError { _ = try Commit(decoding: Array(json.utf8), object: "commit 12ab") }?.text
    }
    #expect(text(#"{"format":2}"#) == "Cannot read commit 12ab: expected format 1, found 2")
    #expect(text(#"{}"#) == "Cannot read commit 12ab: expected a member format, found none")
    #expect(text(#"{"format":1,"parents":["zz"]}"#) == "Cannot read commit 12ab: expected 64 hexadecimal digits as each of parents")
    #expect(text("{")?.hasPrefix("Cannot read commit 12ab: ") == true)
  }

  private func root(_ tails: TailList) -> Root {
    Root(schema: [:], layout: [:], partitions: NodeID(bytes: zeros), rowCount: 3, tails: tails)
  }

  @Test func rootKeepsItsTailsAndHowFarPartitionsAreFolded() throws {
    let part = TailPart(partition: -1, rowCount: 5, insertCount: 3, deleteCount: 1)
    let other = TailPart(partition: 4, rowCount: 1, insertCount: 0, deleteCount: 0)
    let tails = TailList(
      [
        TailEntry(id: TailID(bytes: zeros), sequence: 2, parts: [part, other]),
        TailEntry(id: TailID(bytes: zeros), sequence: 5, parts: [part]),
      ], folded: [-1: 2, 9: 1])
    // A partition that no tail has rows of needs no note.
    #expect(tails.folded == [-1: 2])
    #expect(tails.addedRowCount == 2)
    #expect(tails.partitions == [-1, 4])
    #expect(tails.live(-1).map(\.entry.sequence) == [5])
    #expect(tails.entries[0].part(4)?.rows == 5..<6)
    #expect(try Root(decoding: root(tails).canonicalBytes, object: "root 1") == root(tails))
    // A tail that every partition has folded is gone.
    #expect(TailList(tails.entries, folded: [-1: 5, 4: 2]).isEmpty)
  }

  @Test func rootWithImpossibleTailsIsRefused() {
    let part = TailPart(partition: 0, rowCount: 1, insertCount: 1, deleteCount: 1)
    let bad = root(TailList([TailEntry(id: TailID(bytes: zeros), sequence: 1, parts: [part])]))
    #expect(
      storeError { _ = try Root(decoding: bad.canonicalBytes, object: "root 1") }?.text
        == "Cannot read a tail of root 1: the counts of partition 0 are impossible or partitions do not ascend")
  }

  @Test func everyDamagedByteOfAPackIsNoticed() throws {
    let pack = Pack([(.blob, Hash256(bytes: Checksum.sha256([1, 2])), [1, 2]), (.leaf, Hash256(bytes: zeros), [])])
    #expect(try Pack(decoding: pack.bytes, name: pack.name, path: "p").entries == pack.entries)
    for index in pack.bytes.indices {
      var damaged = pack.bytes
      damaged[index] ^= 1
      #expect(throws: StoreError.self) { try Pack(decoding: damaged, name: pack.name, path: "p") }
      #expect(throws: StoreError.self) { try Pack(decoding: Array(pack.bytes[..<index]), name: pack.name, path: "p") }
    }
  }
}
