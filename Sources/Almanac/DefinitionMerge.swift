import Features
import JSON

/// Three-way merge, object by object, of what a folder declares with what the branch has registered.
struct DefinitionMerge {
  let registered: Definitions
  let local: Definitions
  /// What this folder's last `apply` registered; nil before the first.
  let lastApplied: Definitions?
  let prune: Bool

  typealias Objects = [String: [String: JSON]]

  /// - Throws: `AlmanacError` of kind `failed` naming the objects that both sides changed.
  func merged() throws(AlmanacError) -> Definitions {
    let theirs = Self.objects(of: registered)
    let ours = Self.objects(of: local)
    let base = lastApplied.map(Self.objects) ?? theirs
    var result: Objects = [:]
    var conflicts: [String] = []
    for section in Set(theirs.keys).union(ours.keys).sorted() {
      let (mine, other, old) = (ours[section] ?? [:], theirs[section] ?? [:], base[section] ?? [:])
      var merged: [String: JSON] = [:]
      for name in Set(mine.keys).union(other.keys).sorted() {
        switch (mine[name], other[name]) {
        case (let value?, nil): merged[name] = value
        // Pruning takes back what this folder once applied, not what others registered.
        case (nil, let value?): if !prune || old[name] == nil { merged[name] = value }
        case (let value?, let there?):
          merged[name] = value == old[name] ? there : value
          if value != there && value != old[name] && there != old[name] && old[name] != nil { conflicts.append("\(section) \(name)") }
        case (nil, nil): break
        }
      }
      result[section] = merged
    }
    guard conflicts.isEmpty else {
      throw AlmanacError(
        .failed, "Cannot apply: changed both in this folder and on the branch since the last apply: \(conflicts.joined(separator: ", "))",
        hint: "Bring the files in line with `almanac show`, then apply again.")
    }
    return try AlmanacError.translating { try Self.definitions(from: result) }
  }

  /// Definitions as named JSON objects: contracts, and each list of the feature definitions by its members' names.
  static func objects(of definitions: Definitions) -> Objects {
    let json = definitions.json
    var result: Objects = ["contracts": json["contracts"]?.objectValue ?? [:]]
    for (section, value) in json["features"]?.objectValue ?? [:] {
      guard let members = value.arrayValue else { continue }
      var named: [String: JSON] = [:]
      for member in members { named[member["name"]?.stringValue ?? ""] = member }
      result["features.\(section)"] = named
    }
    return result
  }

  static func definitions(from objects: Objects) throws -> Definitions {
    // What is not a list of objects (the format version) belongs to this program, not to either side.
    var features = (DefinitionSet().json.objectValue ?? [:]).filter { $0.value.arrayValue == nil }
    for (section, members) in objects where section.hasPrefix("features.") {
      features[String(section.dropFirst("features.".count))] = .array(members.sorted { $0.key < $1.key }.map(\.value))
    }
    return try Definitions(json: ["contracts": .object(objects["contracts"] ?? [:]), "features": .object(features)])
  }
}
