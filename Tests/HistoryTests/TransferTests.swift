import Objects
import Testing

@testable import History

@Suite struct TransferTests {
  private func report(_ commits: Int, _ objects: Int, files: Int, fileBytes: Int) -> [Int] { [commits, objects, files, fileBytes] }
  private func numbers(_ report: TransferReport) -> [Int] {
    [report.commitCount, report.objectCount, report.fileCount, report.fileByteCount]
  }

  @Test func aWholeHistoryArrivesEqual() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    var transfer = Transfer(from: far.remote, to: near.remote)
    let moved = try transfer.copy([ids[3], ids[2]])
    // 4 commits; 4 roots (the two with a tail differ); 1 blob; 3 trees of 10, 11 and 12 leaves, each 1 node under 1 partition
    // node; 12 leaves of 32 bytes and a tail of 13.
    #expect(numbers(moved) == report(4, 4 + 4 + 1 + 6 + 13, files: 13, fileBytes: 12 * 32 + 13))
    #expect(try near.content == far.content)
    #expect(near.packCount == 1)
    #expect(near.incoming == [])
    #expect(try near.archive.log(from: ids[3]).map(\.0) == far.archive.log(from: ids[3]).map(\.0))
    for number in 0..<12 { try near.archive.verifyLeaf(vectorLeaf(number).id) }
    #expect(try near.archive.leafDigests(vectorLeaf(7).id) == [7])
  }

  @Test func onlyWhatIsMissingTravels() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    var first = Transfer(from: far.remote, to: near.remote)
    // The first commit alone: commit, root, blob, two nodes, ten leaves.
    #expect(numbers(try first.copy([ids[0]])) == report(1, 15, files: 10, fileBytes: 320))
    #expect(try near.archive.importRef("origin/main", .tracking, at: ids[0], expecting: nil, steps: [], reason: "fetch") == .moved)
    var second = Transfer(from: far.remote, to: near.remote)
    // Commit, root, a tail; the tree and the blob are there.
    #expect(numbers(try second.copy([ids[1]])) == report(1, 3, files: 1, fileBytes: 13))
    #expect(near.packCount == 2)
    var rest = Transfer(from: far.remote, to: near.remote)
    // Two commits, two roots, four nodes, two leaves.
    #expect(numbers(try rest.copy([ids[3]])) == report(2, 10, files: 2, fileBytes: 64))
    #expect(near.packCount == 3)
    #expect(try near.content == far.content)
  }

  @Test func nothingMovesASecondTime() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    var first = Transfer(from: far.remote, to: near.remote)
    _ = try first.copy(ids)
    let source = CountingRemote(far.remote)
    let target = CountingRemote(near.remote)
    var second = Transfer(from: source, to: target)
    #expect(try second.copy(ids) == TransferReport())
    #expect(source.log == [])
    #expect(target.log == ["missing"])
  }

  @Test func oneRowTakesOneAnswerOfEachKind() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    var before = Transfer(from: far.remote, to: near.remote)
    _ = try before.copy(ids)
    _ = try near.archive.importRef("main", .branch, at: ids[3], expecting: nil, steps: [], reason: "clone")
    try far.archive.putVectorLeaves([12])
    let next = try far.publish((0..<13).map(vectorLeaf), parents: [ids[3]], to: "main", time: 5)
    let source = CountingRemote(far.remote)
    let target = CountingRemote(near.remote)
    var transfer = Transfer(from: source, to: target)
    // Commit, root, two nodes, one leaf.
    #expect(numbers(try transfer.copy([next])) == report(1, 5, files: 1, fileBytes: 32))
    #expect(source.log == ["commits", "objects", "objects", "objects", "objects", "bytes"])
    #expect(target.count("receive") == 1)
    #expect(target.count("register") == 1)
    #expect(near.packCount == 2)
  }

  @Test(arguments: [false, true]) func anInterruptedTransferGoesOn(answerIsLost: Bool) throws {
    let far = try TestArchive()
    let ids = try far.makeHistory()
    let counting = CountingRemote(far.remote)
    let whole = try TestArchive()
    let counted = CountingRemote(whole.remote)
    var transfer = Transfer(from: counting, to: counted)
    let all = try transfer.copy([ids[3]])
    #expect(counting.log.count == 18)
    #expect(counted.log.count == 34)
    for side in ["source", "target"] {
      for call in 0..<(side == "source" ? counting.log.count : counted.log.count) {
        let near = try TestArchive()
        let failure = CountingRemote.Failure(call: call, isAnswerLost: answerIsLost)
        let source = CountingRemote(far.remote, failure: side == "source" ? failure : nil)
        let target = CountingRemote(near.remote, failure: side == "target" ? failure : nil)
        var broken = Transfer(from: source, to: target)
        let error = storeError { _ = try broken.copy([ids[3]]) }
        #expect(error?.kind == .io(104), "\(side) \(call)")
        // What is registered is whole at every moment.
        for name in try near.content where name.hasPrefix("commit") {
          let id = try #require(CommitID(hex: name.dropFirst("commit ".count)))
          #expect(try near.archive.log(from: id).isEmpty == false)
        }
        let arrived = near.incoming.count + near.volume.paths.count { $0.hasSuffix(".parquet") }
        var again = Transfer(from: far.remote, to: near.remote)
        let rest = try again.copy([ids[3]])
        #expect(rest.fileCount == all.fileCount - arrived, "\(side) \(call)")
        #expect(try near.content == whole.content, "\(side) \(call)")
        #expect(near.incoming == [])
      }
    }
  }

  @Test func aFileGoesOnInTheMiddle() throws {
    let near = try TestArchive()
    let bytes = (0..<100).map { UInt8($0) }
    let key = ObjectKey(LeafID(bytes: Checksum.sha256([1])))
    let record = FileRecord(byteCount: 100, fileSHA256: Checksum.sha256(bytes), digests: [5])
    let remote = near.remote
    #expect(try remote.receive(Array(bytes[..<40]), at: 0, of: key, record) == 40)
    // A piece that comes twice, and one that leaves a gap, change nothing.
    #expect(try remote.receive(Array(bytes[..<40]), at: 0, of: key, record) == 40)
    #expect(try remote.receive(Array(bytes[60...]), at: 60, of: key, record) == 40)
    let object = TransferObject(key: key, bytes: record.encoded)
    #expect(
      storeError { try remote.register([object]) }?.text
        == "Cannot accept leaf \(key.id): expected a file of 100 bytes, received 40")
    #expect(try remote.missing([key]) == [key])
    #expect(try remote.receive(Array(bytes[40...]), at: 40, of: key, record) == 100)
    try remote.register([object])
    #expect(try remote.missing([key]) == [])
    #expect(try near.archive.fileRecord(key) == record)
    #expect(near.incoming == [])
    #expect(
      storeError { _ = try remote.receive(bytes + [1], at: 0, of: ObjectKey(kind: .leaf, id: Hash256(bytes: zeros)), record) }?.kind
        == .invalid)
  }

  @Test func aFileThatACrashLeftInPlaceIsNotSentAgain() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    // As if the machine had stopped between the renaming and the registration.
    for path in far.volume.paths where path.hasSuffix(".parquet") { try near.volume.stage(path, far.volume.read(path)) }
    var transfer = Transfer(from: far.remote, to: near.remote)
    let moved = try transfer.copy(ids)
    #expect([moved.fileCount, moved.fileByteCount] == [0, 0])
    #expect(try near.content == far.content)
  }

  @Test func aByteThatChangedOnItsWayIsRefused() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    let source = CountingRemote(far.remote, spoil: { $0[$0.count / 2] ^= 1 })
    var transfer = Transfer(from: source, to: near.remote)
    let error = storeError { _ = try transfer.copy([ids[0]]) }
    #expect(error?.kind == .corrupt)
    #expect(error?.text.contains("it was thrown away, try again") == true)
    #expect(try near.content == [])
    #expect(near.incoming.count == 9)
  }

  @Test func objectsThatAreNotWhatTheirIdNamesAreRefused() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    let commit = try far.remote.objects([ObjectKey(kind: .commit, id: ids[0].hash)])[0]
    var bytes = commit.bytes
    bytes[bytes.count / 2] ^= 1
    let spoiled = TransferObject(key: commit.key, bytes: bytes)
    #expect(storeError { try near.remote.register([spoiled]) }?.kind == .corrupt)
    // A commit without what it names.
    let error = storeError { try near.remote.register([commit]) }
    #expect(error?.kind == .notFound)
    #expect(error?.text.hasPrefix("Cannot accept commit \(ids[0]): it names ") == true)
    #expect(try near.content == [])
    // The form in which objects travel notices every changed byte.
    let pack = Pack.encode([commit])
    #expect(try Pack.objects(decoding: pack, source: "here") == [commit])
    for index in pack.indices {
      var changed = pack
      changed[index] ^= 1
      #expect(storeError { _ = try Pack.objects(decoding: changed, source: "here") }?.kind == .corrupt, "byte \(index)")
    }
    #expect(storeError { _ = try Pack.objects(decoding: [1, 2], source: "here") }?.kind == .corrupt)
  }

  @Test func aFileThatTheRoomsAboveCannotReadIsRefused() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    let target = ArchiveRemote(near.archive, location: "memory") { (key, file, record) throws(StoreError) in
      #expect(file.byteCount == record.byteCount)
      throw StoreError(kind: .corrupt, text: "No \(key.kind.name)")
    }
    var transfer = Transfer(from: far.remote, to: target)
    #expect(storeError { _ = try transfer.copy([ids[0]]) }?.text == "No leaf")
    #expect(try near.content == [])
  }

  @Test func longHistoriesTravelInParts() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.archive.publishChain((0..<600).map { "\($0)" })
    let source = CountingRemote(far.remote)
    var transfer = Transfer(from: source, to: near.remote)
    let moved = try transfer.copy([ids[599]])
    // 600 commits; a root, a blob, two nodes, a leaf.
    #expect(numbers(moved) == report(600, 605, files: 1, fileBytes: 32))
    // 256 an answer, and 64 compared together.
    #expect(source.count("commits") == 3)
    #expect(near.packCount == 10)
    #expect(try near.archive.log(from: ids[599]).map(\.0) == ids.reversed())
    // Three more: what the target's refs reach is left out by the source itself.
    _ = try near.archive.importRef("main", .branch, at: ids[599], expecting: nil, steps: [], reason: "clone")
    let more = try far.archive.publishChain(["x", "y", "z"], from: ids[599])
    let given = try far.archive.commits(reachableFrom: [more[2]], excluding: [ids[599], CommitID(bytes: zeros)], limit: 256)
    #expect(given.count(where: { more.contains($0.id) }) == 3)
  }

  @Test func ancestorsAreFoundAlongAllParents() throws {
    let far = try TestArchive()
    let ids = try far.makeHistory()
    #expect(try far.archive.isReachable(ids[2], from: ids[3]))
    #expect(try far.archive.isReachable(ids[3], from: ids[3]))
    #expect(try !far.archive.isReachable(ids[3], from: ids[0]))
    #expect(try !far.archive.isReachable(ids[1], from: ids[2]))
  }
}
