import Objects
import Testing

@testable import History

/// Common ancestors, and the search over a history with merges.
@Suite struct AncestryTests {
  /// Publishes a commit with these parents on a branch of its own.
  private func commit(_ archive: Archive, _ name: String, _ parents: [CommitID], timeMicros: Int64) throws -> CommitID {
    var (draft, id) = archive.draftCommit([], parents: parents, message: name, timeMicros: timeMicros)
    #expect(try archive.publish(&draft, commit: id, to: name, expecting: nil, reason: "test") == .moved)
    return id
  }

  @Test func theBaseIsWhereTwoLinesParted() throws {
    let archive = try TestArchive().archive
    let root = try commit(archive, "root", [], timeMicros: 1)
    let fork = try commit(archive, "fork", [root], timeMicros: 2)
    let a = try commit(archive, "a", [fork], timeMicros: 3)
    let b = try commit(archive, "b", [fork], timeMicros: 4)
    let merge = try commit(archive, "merge", [a, b], timeMicros: 5)
    let later = try commit(archive, "later", [b], timeMicros: 6)
    #expect(try archive.mergeBases(a, b) == [fork])
    #expect(try archive.mergeBases(b, a) == [fork])
    #expect(try archive.mergeBases(merge, later) == [b])
    #expect(try archive.mergeBases(merge, b) == [b])
    #expect(try archive.mergeBases(root, later) == [root])
    #expect(try archive.mergeBases(later, later) == [later])
    let stranger = try commit(archive, "stranger", [], timeMicros: 7)
    #expect(try archive.mergeBases(stranger, merge) == [])
  }

  @Test func crosswiseMergesHaveTwoBasesTheLatestFirst() throws {
    let archive = try TestArchive().archive
    let root = try commit(archive, "root", [], timeMicros: 1)
    let a = try commit(archive, "a", [root], timeMicros: 2)
    let b = try commit(archive, "b", [root], timeMicros: 3)
    let x = try commit(archive, "x", [a, b], timeMicros: 4)
    let y = try commit(archive, "y", [b, a], timeMicros: 5)
    #expect(try archive.mergeBases(x, y) == [b, a])
    #expect(try archive.mergeBases(y, x) == [b, a])
  }

  /// Any shape, with clocks that run backwards too.
  @Test(arguments: 0..<20 as Range<UInt64>) func basesEqualTheDefinition(seed: UInt64) throws {
    var random = SplitMix(seed)
    let archive = try TestArchive().archive
    var ids: [CommitID] = []
    for number in 0..<30 {
      let parents = Set(
        (0..<Int.random(in: number == 0 ? 0...0 : 0...2, using: &random)).map { _ in
          Int.random(in: max(0, number - 8)..<number, using: &random)
        })
      let time = seed % 2 == 0 ? Int64(number) : Int64.random(in: 0...50, using: &random)
      ids.append(try commit(archive, "c\(number)", parents.sorted().map { ids[$0] }, timeMicros: time))
    }
    for _ in 0..<40 {
      let (a, b) = (ids.randomElement(using: &random)!, ids.randomElement(using: &random)!)
      let common = try archive.ancestors(of: [a]).intersection(archive.ancestors(of: [b]))
      let best = try common.filter { candidate in
        try !common.contains { try $0 != candidate && archive.ancestors(of: [$0]).contains(candidate) }
      }
      let found = try archive.mergeBases(a, b)
      #expect(Set(found) == best && found.count == best.count, "seed \(seed)")
      #expect(try archive.mergeBases(b, a) == found, "seed \(seed)")
    }
  }

  /// The first bad commit is found on any branch, with few tests.
  @Test(arguments: 0..<20 as Range<UInt64>) func bisectionFindsTheFirstBadCommit(seed: UInt64) throws {
    var random = SplitMix(seed)
    let archive = try TestArchive().archive
    var ids: [CommitID] = []
    for number in 0..<60 {
      var parents = number == 0 ? [] : [number - 1]
      if number > 4 && Bool.random(using: &random) { parents = [number - Int.random(in: 1...4, using: &random)] }
      if number > 4 && Int.random(in: 0..<4, using: &random) == 0 { parents = [number - 1, number - 3] }
      ids.append(try commit(archive, "c\(number)", parents.map { ids[$0] }, timeMicros: Int64(number)))
    }
    let tip = ids[59]
    let reachable = try archive.ancestors(of: [tip]).subtracting([ids[0]]).sorted()
    let culprit = reachable.randomElement(using: &random)!
    var search = try Bisection(bad: tip, good: [ids[0]], in: archive)
    var testCount = 0
    var left = search.candidates.count
    while case .test(let id, _) = search.next() {
      testCount += 1
      if try archive.ancestors(of: [id]).contains(culprit) { search.noteBad(id) } else { search.noteGood(id) }
      #expect(search.candidates.count < left, "seed \(seed)")
      left = search.candidates.count
    }
    #expect(search.next() == .found(culprit), "seed \(seed)")
    #expect(testCount <= 14, "seed \(seed): \(testCount) tests of \(reachable.count) commits")
  }

  @Test func aLineOfSixteenTakesFourTests() throws {
    let archive = try TestArchive().archive
    let ids = try archive.publishChain((0...16).map { "c\($0)" })
    for culprit in 1...16 {
      var search = try Bisection(bad: ids[16], good: [ids[0]], in: archive)
      var testCount = 0
      while case .test(let id, _) = search.next() {
        testCount += 1
        if ids.firstIndex(of: id)! >= culprit { search.noteBad(id) } else { search.noteGood(id) }
      }
      #expect(search.next() == .found(ids[culprit]))
      #expect(testCount == 4)
    }
  }

  @Test func skippedCommitsAreTestedNoMore() throws {
    let archive = try TestArchive().archive
    let ids = try archive.publishChain((0...4).map { "c\($0)" })
    var search = try Bisection(bad: ids[4], good: [ids[0]], in: archive)
    search.noteSkipped(ids[2])
    guard case .test(let id, _) = search.next() else { return #expect(Bool(false), "There is a commit to test") }
    #expect(id != ids[2])
    search.noteSkipped(ids[1])
    search.noteSkipped(ids[3])
    #expect(search.next() == .undecided(Array(ids[1...4])))
    search.noteBad(ids[3])
    search.noteGood(ids[2])
    #expect(search.next() == .found(ids[3]))
  }

  @Test func aGoodCommitMustComeBeforeTheBadOne() throws {
    let archive = try TestArchive().archive
    let ids = try archive.publishChain(["a", "b"])
    let other = try commit(archive, "other", [ids[0]], timeMicros: 9)
    let stray = storeError { _ = try Bisection(bad: ids[1], good: [other], in: archive) }
    #expect(stray?.text == "Cannot bisect: the good commit \(other) is not an ancestor of the bad one, \(ids[1])")
    let same = storeError { _ = try Bisection(bad: ids[0], good: [ids[1]], in: archive) }
    #expect(same?.text == "Cannot bisect: the bad commit \(ids[0]) is a good one or comes before one")
  }
}
