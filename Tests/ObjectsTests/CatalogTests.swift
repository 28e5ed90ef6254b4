import Objects
import Testing

@Suite struct CatalogTests {
  private func id(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

  @Test func registeredObjectsAreFoundByKindAndID() throws {
    let catalog = try Catalog.inMemory()
    let packed = ObjectRecord(kind: 2, id: id(1), place: .pack(name: "p", offset: 9), byteCount: 5)
    let file = ObjectRecord(kind: 1, id: id(1), place: .ownFile, byteCount: 7, fileSHA256: id(8), digests: [1, 2])
    #expect(try catalog.register([packed, file], moving: nil, nowMicros: 0) == .alreadyThere)
    #expect(try catalog.object(kind: 2, id: id(1)) == packed)
    #expect(try catalog.object(kind: 1, id: id(1)) == file)
    #expect(try catalog.object(kind: 3, id: id(1)) == nil)
    #expect(try catalog.missing(kind: 2, ids: [id(0), id(1), id(2)]) == [id(0), id(2)])

    // A packed object stays where it was first; a file is what it was last.
    let again = ObjectRecord(kind: 2, id: id(1), place: .pack(name: "q", offset: 0), byteCount: 5)
    let other = ObjectRecord(kind: 1, id: id(1), place: .ownFile, byteCount: 6, fileSHA256: id(9), digests: [])
    _ = try catalog.register([again, other], moving: nil, nowMicros: 0)
    #expect(try catalog.object(kind: 2, id: id(1)) == packed)
    #expect(try catalog.object(kind: 1, id: id(1)) == other)
  }

  @Test func idsOfARangeAreAscending() throws {
    let catalog = try Catalog.inMemory()
    let records = [3, 1, 2, 9].map { ObjectRecord(kind: 4, id: id($0), place: .pack(name: "p", offset: 0), byteCount: 1) }
    _ = try catalog.register(records, moving: nil, nowMicros: 0)
    #expect(try catalog.objectIDs(kind: 4, from: id(1), through: id(3), limit: 10) == [id(1), id(2), id(3)])
    #expect(try catalog.objectIDs(kind: 4, from: id(0), through: id(9), limit: 2) == [id(1), id(2)])
  }

  @Test func refMovesByCompareAndSwap() throws {
    let catalog = try Catalog.inMemory()
    func move(_ expecting: [UInt8]?, _ new: [UInt8]?, kind: UInt8 = 0) throws -> RefMoveOutcome {
      try catalog.register(
        [], moving: RefMove(name: "r", kind: kind, expecting: expecting, new: new, reason: "why"), nowMicros: 100)
    }
    #expect(try move(id(1), id(2)) == .lostRace(current: nil))
    #expect(
      try move(nil, id(1))
        == .moved(RefLogRecord(sequence: 1, ref: "r", refKind: 0, old: nil, new: id(1), timeMicros: 100, reason: "why")))
    #expect(try move(nil, id(1)) == .alreadyThere)
    #expect(try move(nil, id(2)) == .lostRace(current: id(1)))
    #expect(try move(id(1), id(2), kind: 1) == .otherKind(0))
    #expect(
      try move(id(1), id(2))
        == .moved(RefLogRecord(sequence: 2, ref: "r", refKind: 0, old: id(1), new: id(2), timeMicros: 101, reason: "why")))
    #expect(try move(id(2), nil) == .moved(try #require(try catalog.refLog(ref: "r").last)))
    #expect(try catalog.refs() == [])
    #expect(try catalog.refLog(ref: nil).map(\.timeMicros) == [100, 101, 102])
    #expect(try catalog.refLogEntry(ref: "r", atOrBefore: 101)?.new == id(2))
    #expect(try catalog.refLogEntry(ref: "r", atOrBefore: 99) == nil)
    #expect(try catalog.refLog(after: 2).map(\.sequence) == [3])
    #expect(try catalog.lastSequence() == 3)
  }

  @Test func objectsOfALostRaceAreKept() throws {
    let catalog = try Catalog.inMemory()
    let record = ObjectRecord(kind: 2, id: id(1), place: .pack(name: "p", offset: 9), byteCount: 5)
    let move = RefMove(name: "r", kind: 0, expecting: id(7), new: id(8), reason: "")
    #expect(try catalog.register([record], moving: move, nowMicros: 0) == .lostRace(current: nil))
    #expect(try catalog.object(kind: 2, id: id(1)) == record)
  }

  @Test func catalogOnDiskIsDurableAndSharedByConnections() throws {
    let folder = TemporaryFolder()
    try LocalVolume(root: folder.path).makeDirectory("")
    let path = "\(folder.path)/catalog.sqlite"
    let first = try Catalog.create(at: path)
    let second = try Catalog.open(at: path)
    try first.setSetting("head", to: "main")
    #expect(try second.setting("head") == "main")
    #expect(try second.setting("other") == nil)
    #expect(try first.synchronousLevel() == 2)
    #expect(try second.synchronousLevel() == 2)
    // Making it again keeps what is there.
    #expect(try Catalog.create(at: path).setting("head") == "main")
  }

  @Test func whatIsNoCatalogIsNamed() throws {
    let folder = TemporaryFolder()
    let volume = LocalVolume(root: folder.path)
    try volume.makeDirectory("")
    let missing = #expect(throws: StoreError.self) { try Catalog.open(at: volume.absolutePath("c")) }
    #expect(missing?.text == "Cannot open the catalog \(folder.path)/c: the file is missing")
    try volume.writeDurably("c", [UInt8](repeating: 1, count: 4096))
    let damaged = #expect(throws: StoreError.self) { try Catalog.open(at: volume.absolutePath("c")) }
    #expect(damaged?.kind == .corrupt)
    #expect(
      damaged?.text == "Cannot open the catalog \(folder.path)/c: file is not a database; `almanac fsck --repair` makes the catalog anew")
  }
}
